/**
 * What a storm is made of: one table of faults, each with how it is drawn. The same seed draws the same storm. Faults
 * that the simulated exchange does not know are left out of the draw.
 */
import type { Interval } from '../../machines/model/interval.ts';
import { faultSchema } from '../../src/simulator/index.ts';
import { oneOf, seeded } from '../support/seeded.ts';

export interface Setting {
  readonly symbols: readonly string[];
  readonly intervals: readonly Interval[];
}

/** A fault as data. `from` and `to` of exchange faults are relative to the moment of injection, exchange ms. */
export interface Drawn {
  /** Wall ms since the storm began. */
  readonly atMs: number;
  readonly name: string;
  readonly target: 'exchange' | 'process';
  /** Waits for the next minute of the exchange to be a few seconds old. */
  readonly atBarStart?: true;
  readonly fault: Readonly<Record<string, unknown>> & { readonly kind: string };
}

export interface Dice extends Setting {
  readonly random: () => number;
  /** Whole number in [from, to]. */
  between(from: number, to: number): number;
  symbol(): string;
  /** Names of some streams, at least one. */
  streams(): string[];
  stream(): string;
}

interface Kind {
  readonly name: string;
  /** How often against the others; 1 if not given. */
  readonly weight?: number;
  readonly target?: 'process';
  readonly atBarStart?: true;
  readonly draw: (dice: Dice) => Drawn['fault'];
}

const MINUTE = 60_000;
const CLOSE_CODES = [1000, 1001, 1008, 1011, 1012, 1013];
const shortly = ({ between }: Dice): number => between(200, 3_000);

/** A row each; a new kind of fault is a new row. */
export const KINDS: readonly Kind[] = [
  { name: 'drop', weight: 3, draw: () => ({ kind: 'drop' }) },
  {
    name: 'close frame',
    weight: 2,
    draw: ({ random }) => ({ kind: 'drop', code: oneOf(CLOSE_CODES, random), reason: 'storm' }),
  },
  { name: 'half-open', weight: 2, draw: (dice) => ({ kind: 'halfOpen', forMs: shortly(dice) }) },
  { name: 'mute', weight: 2, draw: (dice) => ({ kind: 'mute', forMs: shortly(dice) }) },
  { name: 'mute streams', draw: (dice) => ({ kind: 'mute', streams: dice.streams(), forMs: shortly(dice) }) },
  {
    name: 'mute until resubscribed',
    draw: (dice) => ({ kind: 'mute', streams: dice.streams(), until: 'resubscribe', forMs: 8_000 }),
  },
  {
    name: 'mute until reconnected',
    draw: (dice) => ({ kind: 'mute', streams: dice.streams(), until: 'reconnect', forMs: 8_000 }),
  },
  {
    name: 'refuse',
    weight: 2,
    draw: (dice) => ({
      kind: 'refuse',
      status: oneOf([0, 403, 404, 500, 503, 504], dice.random),
      times: dice.between(1, 4),
      forMs: 3_000,
    }),
  },
  {
    name: 'refuse with 429',
    draw: (dice) => ({
      kind: 'refuse',
      status: oneOf([418, 429], dice.random),
      retryAfter: '1',
      times: 1,
      forMs: 3_000,
    }),
  },
  {
    name: 'hang handshake',
    draw: (dice) => ({ kind: 'hangHandshake', times: dice.between(1, 2), forMs: 3_000 }),
  },
  { name: 'slam', draw: (dice) => ({ kind: 'slam', times: dice.between(1, 5), forMs: 3_000 }) },
  { name: 'tear', draw: ({ random }) => ({ kind: 'tear', end: oneOf(['fin', 'reset'], random) }) },
  {
    name: 'dribble',
    draw: (dice) => ({ kind: 'dribble', bytesPerSecond: dice.between(20, 2_000), forMs: shortly(dice) }),
  },
  { name: 'notice', draw: ({ between }) => ({ kind: 'notice', closeAfterMs: between(200, 1_500) }) },
  { name: 'garbage', draw: ({ between }) => ({ kind: 'malformed', times: between(1, 8) }) },
  {
    name: 'garbage among frames',
    draw: (dice) => ({ kind: 'malformed', every: dice.between(2, 6), forMs: shortly(dice) }),
  },
  {
    name: 'late closes',
    weight: 2,
    draw: (dice) => ({
      kind: 'closes',
      mode: 'delay',
      delayMs: dice.between(1, 240) * 1_000,
      times: dice.between(1, 12),
      forMs: 3_000,
    }),
  },
  {
    name: 'no closes',
    weight: 3,
    draw: (dice) => ({ kind: 'closes', mode: 'omit', times: dice.between(1, 20), forMs: 3_000 }),
  },
  {
    name: 'double closes',
    draw: (dice) => ({ kind: 'closes', mode: 'duplicate', times: dice.between(1, 20), forMs: 3_000 }),
  },
  {
    name: 'altered closes',
    draw: (dice) => ({
      kind: 'closes',
      mode: 'alter',
      streams: dice.streams(),
      times: dice.between(1, 3),
      forMs: 3_000,
    }),
  },
  {
    name: 'conflicting closes',
    draw: (dice) => ({
      kind: 'closes',
      mode: 'conflict',
      streams: dice.streams(),
      times: dice.between(1, 3),
      forMs: 3_000,
    }),
  },
  {
    name: 'insane closes',
    draw: (dice) => ({
      kind: 'closes',
      mode: 'insane',
      streams: dice.streams(),
      times: dice.between(1, 3),
      forMs: 3_000,
    }),
  },
  {
    name: 'early closes',
    draw: (dice) => ({
      kind: 'closes',
      mode: 'early',
      streams: dice.streams(),
      times: dice.between(1, 3),
      forMs: 3_000,
    }),
  },
  {
    name: 'closes out of turn',
    draw: (dice) => ({
      kind: 'closes',
      mode: 'swap',
      streams: dice.streams(),
      times: dice.between(1, 3),
      forMs: 3_000,
    }),
  },
  {
    name: 'replay',
    draw: (dice) => ({ kind: 'replay', streams: dice.streams(), bars: dice.between(1, 30) }),
  },
  { name: 'no pongs', draw: (dice) => ({ kind: 'noPong', forMs: shortly(dice) }) },
  { name: 'no acknowledgement', draw: (dice) => ({ kind: 'noAck', forMs: shortly(dice) }) },
  {
    name: 'error acknowledgement',
    draw: () => ({ kind: 'errorAck', code: 2, msg: 'Invalid request', times: 1, forMs: 3_000 }),
  },
  { name: 'no answer to closes', draw: (dice) => ({ kind: 'noCloseAnswer', forMs: shortly(dice) }) },
  {
    name: 'REST fails',
    weight: 2,
    draw: (dice) => ({
      kind: 'rest',
      status: oneOf([408, 500, 502, 503], dice.random),
      times: dice.between(1, 6),
      forMs: 3_000,
    }),
  },
  // No 403 or 451: REST is left alone for a minute after one, which is the whole storm. The tests of the REST session judge them.
  {
    name: 'REST is slow',
    draw: (dice) => ({ kind: 'rest', delayMs: dice.between(100, 1_500), forMs: shortly(dice) }),
  },
  // A request that is never answered takes ten seconds: ten minutes of this exchange.
  {
    name: 'REST hangs',
    draw: (dice) => ({
      kind: 'rest',
      hang: oneOf(['headers', 'body'], dice.random),
      times: 1,
      forMs: 2_000,
    }),
  },
  {
    name: 'REST breaks off',
    draw: (dice) => ({ kind: 'rest', destroy: true, times: dice.between(1, 3), forMs: 3_000 }),
  },
  {
    name: 'REST is cut',
    draw: (dice) => ({ kind: 'rest', cut: true, times: dice.between(1, 3), forMs: 3_000 }),
  },
  {
    name: 'REST packs badly',
    draw: (dice) => ({ kind: 'rest', gzip: 'bad', times: dice.between(1, 3), forMs: 3_000 }),
  },
  {
    name: 'REST sends a page',
    draw: (dice) => ({
      kind: 'rest',
      body: '<html>Bad gateway</html>',
      contentType: 'text/html',
      times: dice.between(1, 3),
      forMs: 3_000,
    }),
  },
  {
    name: 'REST is empty',
    draw: (dice) => ({
      kind: 'rest',
      path: '/fapi/v1/klines',
      body: '[]',
      times: dice.between(1, 3),
      forMs: 3_000,
    }),
  },
  {
    name: 'rate limited',
    draw: () => ({
      kind: 'rest',
      status: 429,
      headers: { 'Retry-After': '1' },
      body: { code: -1003, msg: 'Too many requests' },
      times: 1,
      forMs: 3_000,
    }),
  },
  { name: 'banned', draw: ({ between }) => ({ kind: 'ban', forMs: between(1_000, 2_500) }) },
  // Also longer than a last row is distrusted: what was stored unfinished then is corrected by the comparison.
  {
    name: 'REST lags',
    draw: (dice) => ({
      kind: 'lag',
      lagMs: dice.between(5, 120) * 1_000,
      show: oneOf(['nothing', 'open'], dice.random),
      forMs: shortly(dice),
    }),
  },
  {
    name: 'REST lacks bars',
    draw: (dice) => ({
      kind: 'absent',
      symbol: dice.symbol(),
      from: -dice.between(0, 3) * MINUTE,
      to: dice.between(0, 3) * MINUTE,
      forMs: shortly(dice),
    }),
  },
  {
    name: 'outage',
    draw: (dice) => ({
      kind: 'outage',
      symbol: dice.symbol(),
      from: 2 * MINUTE,
      to: (2 + dice.between(0, 2)) * MINUTE,
    }),
  },
  { name: 'halt', draw: (dice) => ({ kind: 'symbol', symbol: dice.symbol(), action: 'halt' }) },
  {
    name: 'resume',
    weight: 2,
    draw: (dice) => ({ kind: 'symbol', symbol: dice.symbol(), action: 'resume' }),
  },
  // Once more, with REST: a bar is compared once, so what is revised long after its close is nobody's promise.
  {
    name: 'revision',
    atBarStart: true,
    draw: (dice) => ({ kind: 'revise', symbol: dice.symbol(), interval: '1m', openTime: 'last' }),
  },
  {
    name: 'consumer stalls',
    weight: 2,
    target: 'process',
    draw: (dice) => ({ kind: 'stall', forMs: shortly(dice) }),
  },
  {
    name: 'process freezes',
    target: 'process',
    draw: ({ between }) => ({ kind: 'freeze', forMs: between(100, 600) }),
  },
  {
    name: 'listener throws',
    target: 'process',
    draw: ({ between }) => ({ kind: 'throw', times: between(1, 5) }),
  },
];

/** Whether the exchange of this version knows the fault, whatever its times. */
export function isKnown(fault: Drawn['fault']): boolean {
  const times = 'from' in fault ? { from: 0, to: 1 } : {};
  return faultSchema.safeParse({ ...fault, ...times }).success;
}

/** One fault each second, of the kinds that can be had. */
export function drawStorm(seed: number, seconds: number, setting: Setting): Drawn[] {
  const dice = diceOf(seeded(seed), setting);
  const kinds = KINDS.filter(
    (kind) => kind.target === 'process' || isKnown(kind.draw(diceOf(seeded(1), setting))),
  );
  const hat = kinds.flatMap((kind) => Array.from({ length: kind.weight ?? 1 }, () => kind));
  return Array.from({ length: seconds }, (_, second): Drawn => {
    const kind = oneOf(hat, dice.random);
    return {
      atMs: second * 1_000 + dice.between(0, 900),
      name: kind.name,
      target: kind.target ?? 'exchange',
      ...(kind.atBarStart ? { atBarStart: true } : {}),
      fault: kind.draw(dice),
    };
  });
}

/** What the rows of the table throw. */
export function diceOf(random: () => number, { symbols, intervals }: Setting): Dice {
  const between = (from: number, to: number): number => from + Math.floor(random() * (to - from + 1));
  const symbol = (): string => oneOf(symbols, random);
  const stream = (): string => `${symbol().toLowerCase()}@kline_${oneOf(intervals, random)}`;
  const streams = (): string[] => [...new Set(Array.from({ length: between(1, 4) }, stream))];
  return { random, symbols, intervals, between, symbol, stream, streams };
}
