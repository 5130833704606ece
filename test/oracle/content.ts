/** The invariants about bars: once (I1), order (I2), equal (I3). Each returns what is wrong, nothing when all is well. */
import { isAligned, nextOpenTime } from '../../machines/model/interval.ts';
import { type Candle, seriesKey } from '../../machines/model/kline.ts';
import { barKey, barName, type Evidence, type Told, type Violation } from './evidence.ts';

type ToldCandle = Extract<Told, { kind: 'candle' }>;

export const toldCandles = (evidence: Evidence): ToldCandle[] =>
  evidence.told.filter((one) => one.kind === 'candle');

const FIELDS = [
  'open',
  'high',
  'low',
  'close',
  'volume',
  'closeTime',
  'quoteVolume',
  'count',
  'takerBuyVolume',
  'takerBuyQuoteVolume',
] as const satisfies readonly (keyof Candle)[];

/** The first field in which two bars differ, as text; undefined when they are equal. */
export function difference(found: Candle, wanted: Candle): string | undefined {
  const field = FIELDS.find((name) => !Object.is(found[name], wanted[name]));
  return field && `${field} is ${found[field]}, not ${wanted[field]}`;
}

/** Why a bar can't be one that the exchange has closed; undefined when it is one. */
function invention(evidence: Evidence, candle: Candle, at: number): string | undefined {
  const { series, truth } = evidence;
  const { symbol, interval, openTime } = candle;
  if (!series.some((one) => seriesKey(one) === seriesKey(candle))) return 'a series that nobody asked for';
  if (!isAligned(interval, openTime)) return 'no bar opens then';
  if (nextOpenTime(interval, openTime) > at) return 'it had not ended';
  return truth.candle(symbol, interval, openTime) ? undefined : 'the exchange has no such bar';
}

/** I1: what is stored is the exchange's closed bars, each once; what was delivered is what is stored, each once. */
export function once(evidence: Evidence): Violation[] {
  const { store, readAt, heldBefore, toldIsAll } = evidence;
  const found: Violation[] = [];
  const add = (name: string, detail: string): void => {
    found.push({ invariant: 'once', name, detail });
  };
  const told = new Set<string>();
  for (const { candle, at } of toldCandles(evidence)) {
    const key = barKey(candle);
    if (told.has(key)) add('delivered twice', barName(candle));
    told.add(key);
    const why = invention(evidence, candle, at);
    if (why !== undefined) add('delivered an invented bar', `${barName(candle)}: ${why}`);
  }
  if (store === undefined) return found;
  if (store.integrity !== 'ok') add('damaged file', store.integrity);
  const stored = new Set<string>();
  const filled = filledBars(evidence);
  for (const candle of store.candles) {
    const key = barKey(candle);
    if (stored.has(key)) add('stored twice', barName(candle));
    stored.add(key);
    const why = invention(evidence, candle, readAt);
    if (why !== undefined) add('stored an invented bar', `${barName(candle)}: ${why}`);
    else if (toldIsAll && !told.has(key) && !heldBefore.has(key) && !filled.has(key))
      add('stored and not delivered', barName(candle));
  }
  for (const { candle } of toldCandles(evidence))
    if (!stored.has(barKey(candle))) add('delivered and not stored', barName(candle));
  return found;
}

/** Bars that came after their gap had been announced: told as a filled gap, never as a candle. */
function filledBars({ store }: Evidence): Set<string> {
  const keys = new Set<string>();
  for (const gap of store?.gaps ?? []) {
    if (gap.filledAt === null) continue;
    for (let open = gap.fromOpenTime; open <= gap.toOpenTime; open = nextOpenTime(gap.interval, open))
      keys.add(barKey({ ...gap, openTime: open }));
  }
  return keys;
}

/** I2: per series strictly increasing, and a skip only over a gap that was announced before. */
export function order({ told }: Evidence): Violation[] {
  const found: Violation[] = [];
  const add = (name: string, detail: string): void => {
    found.push({ invariant: 'order', name, detail });
  };
  const lastOf = new Map<string, number>();
  const seen = new Set<string>();
  const announced = new Set<string>();
  for (const one of told) {
    if (one.kind === 'gap' && one.gap.status === 'open') {
      const { gap } = one;
      for (let open = gap.fromOpenTime; open <= gap.toOpenTime; open = nextOpenTime(gap.interval, open))
        announced.add(barKey({ ...gap, openTime: open }));
    }
    if (one.kind !== 'candle') continue;
    const { candle } = one;
    const series = seriesKey(candle);
    const last = lastOf.get(series);
    // The same bar again is a matter of once, not of order.
    if (seen.has(barKey(candle))) continue;
    seen.add(barKey(candle));
    if (announced.has(barKey(candle))) add('delivered behind its gap', barName(candle));
    if (last !== undefined && candle.openTime < last) {
      add('out of order', `${barName(candle)} came after ${new Date(last).toISOString()}`);
      continue;
    }
    lastOf.set(series, candle.openTime);
    if (last === undefined) continue;
    for (
      let open = nextOpenTime(candle.interval, last);
      open < candle.openTime;
      open = nextOpenTime(candle.interval, open)
    )
      if (!announced.has(barKey({ ...candle, openTime: open }))) {
        add('skipped without a gap', `${barName({ ...candle, openTime: open })}, before ${barName(candle)}`);
        break;
      }
  }
  return found;
}

/** I3: every field as the exchange has it, and a delivered bar as it is stored, but for announced revisions. */
export function equal(evidence: Evidence): Violation[] {
  const { store, truth, readAt } = evidence;
  const found: Violation[] = [];
  const add = (name: string, detail: string): void => {
    found.push({ invariant: 'equal', name, detail });
  };
  const revised = revisionsOf(evidence);
  const stored = new Map(store?.candles.map((candle) => [barKey(candle), candle]));
  for (const candle of store?.candles ?? []) {
    if (invention(evidence, candle, readAt) !== undefined) continue;
    const wanted = truth.candle(candle.symbol, candle.interval, candle.openTime) as Candle;
    const differs = difference(candle, wanted);
    const before = revised.get(barKey(candle))?.at(-1)?.after;
    if (differs !== undefined && !evidence.mayDiffer(candle))
      add('stored bar differs from the exchange', `${barName(candle)}: ${differs}`);
    else if (before !== undefined && difference(before, candle) !== undefined)
      add('the last revision is not what is stored', `${barName(candle)}: ${difference(before, candle)}`);
  }
  for (const { candle, at } of toldCandles(evidence)) {
    if (invention(evidence, candle, at) !== undefined) continue;
    const chain = revised.get(barKey(candle));
    // As it was when it was delivered: what the first revision found, or what the exchange has to this day.
    const wanted =
      chain?.[0]?.before ??
      stored.get(barKey(candle)) ??
      truth.candle(candle.symbol, candle.interval, candle.openTime);
    const differs = wanted && difference(candle, wanted);
    // A row that differs from the exchange has been named above; here it is the word of the consumer.
    const isTrue = truth.candle(candle.symbol, candle.interval, candle.openTime);
    if (differs !== undefined && (isTrue === undefined || difference(candle, isTrue) !== undefined))
      add('delivered bar differs', `${barName(candle)}: ${differs}`);
  }
  for (const [key, chain] of revised)
    for (const [index, { before }] of chain.entries()) {
      const earlier = chain[index - 1]?.after;
      const differs = earlier && difference(before, earlier);
      if (differs !== undefined) add('revisions do not follow one another', `${key}: ${differs}`);
    }
  return found;
}

interface Change {
  readonly before: Candle;
  readonly after: Candle;
}

/** What became of a bar after it was stored: from the file, or without one from what was told. */
function revisionsOf({ store, told }: Evidence): Map<string, Change[]> {
  const changes = new Map<string, Change[]>();
  const note = (key: string, change: Change): void => {
    changes.set(key, [...(changes.get(key) ?? []), change]);
  };
  if (store === undefined) {
    for (const one of told) if (one.kind === 'revision') note(barKey(one.after), one);
  } else for (const revision of store.revisions) note(barKey(revision), revision);
  return changes;
}
