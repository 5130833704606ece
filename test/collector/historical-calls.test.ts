/** Questions about the past, over sources and stores that are made up. */
import { describe, expect, test } from 'vitest';
import { DAY_MS } from '../../machines/model/interval.ts';
import type { Candle } from '../../machines/model/kline.ts';
import { HistoricalCalls, type HistoricalPorts } from '../../src/collector.historical.ts';
import { ConfigurationError, ConnectionError } from '../../src/errors.ts';
import { noCache } from '../../src/history/progress.ts';
import type { HistorySource } from '../../src/history/types.ts';
import { type FakeDay, fakeHistory, opensIn } from '../actors/past.ts';
import { at, BTC, bar, MINUTE } from '../pipeline/candles.ts';
import { Memo } from '../support/collector.ts';

const D0 = Math.ceil(at(0) / DAY_MS) * DAY_MS;
const RANGE = { symbol: 'btcusdt', interval: '1m', from: D0, to: D0 + DAY_MS } as const;
const opens = (candles: readonly Candle[]): number[] => candles.map(({ openTime }) => openTime);

function calls(
  options: {
    day?: FakeDay;
    stored?: readonly Candle[];
    source?: Partial<HistorySource>;
    signal?: AbortSignal;
    open?: HistoricalPorts['open'];
  } = {},
) {
  const history = fakeHistory(() => options.day ?? {});
  const log = new Memo();
  const doors = { opened: 0, closed: 0 };
  const { stored, signal } = options;
  const asked: string[] = [];
  const historical = new HistoricalCalls({
    open:
      options.open ??
      ((source) => {
        asked.push(source);
        doors.opened += 1;
        return {
          source: { ...history.source, ...options.source },
          counts: () => ({ ...noCache(), hits: 7 * doors.opened }),
          close: async () => {
            doors.closed += 1;
          },
        };
      }),
    stored: async () =>
      stored === undefined
        ? undefined
        : (_, after, max) => stored.filter(({ openTime }) => openTime > after).slice(0, max),
    logger: log,
    signal,
  });
  return { ...history, historical, log, doors, asked };
}

describe('a range of the past', () => {
  test('is there bar by bar, and what was opened for it is closed', async () => {
    const { historical, doors, asked, log } = calls();
    const { candles, missing, notes } = await historical.get(RANGE);
    expect(opens(candles)).toEqual(opensIn(BTC, RANGE.from, RANGE.to));
    expect([missing, notes, log.lines]).toEqual([[], [], []]);
    expect(doors).toEqual({ opened: 1, closed: 1 });
    expect(asked).toEqual(['auto']);
  });

  test('takes dates, and times between bars: what opens in it counts', async () => {
    const { historical, plans } = calls();
    await historical.get({ ...RANGE, from: new Date(D0 - 59_999), to: new Date(D0 + DAY_MS - 59_999) });
    expect(plans).toMatchObject([{ symbol: 'BTCUSDT', from: D0, to: D0 + DAY_MS }]);
  });

  test('comes from the store as far as it is held there, with the values stored', async () => {
    const held = opensIn(BTC, D0 + 10 * MINUTE, D0 + 2_000 * MINUTE)
      .filter((openTime) => openTime !== D0 + 20 * MINUTE)
      .map((openTime) => bar(openTime, 'stream', BTC, { close: 100.25 }));
    const { historical, plans } = calls({ stored: held });
    const { candles } = await historical.get(RANGE);
    expect(plans[0]?.missing).toEqual([
      { from: D0, to: D0 + 10 * MINUTE },
      { from: D0 + 20 * MINUTE, to: D0 + 21 * MINUTE },
    ]);
    expect(opens(candles)).toEqual(opensIn(BTC, RANGE.from, RANGE.to));
    // The source may bring more than it was asked for: what is stored wins.
    expect(candles.filter(({ source }) => source === 'stream')).toEqual(
      held.filter(({ openTime }) => openTime < RANGE.to),
    );
    expect(opens(candles.filter(({ source }) => source === 'vision'))).toHaveLength(11);
  });

  test('that is all in the store is asked of nobody', async () => {
    const { historical, doors } = calls({ stored: opensIn(BTC, D0, RANGE.to).map((time) => bar(time)) });
    expect((await historical.get(RANGE)).candles).toHaveLength(1_440);
    expect(doors.opened).toBe(0);
  });

  test.each(['vision', 'rest'] as const)(
    'is not read from the store when %s is asked for',
    async (source) => {
      const { historical, asked } = calls({ stored: [bar(D0)] });
      const { candles } = await historical.get({ ...RANGE, source });
      expect(candles[0]?.source).toBe('vision');
      expect(asked).toEqual([source]);
    },
  );

  test('says what no source has, in the result and in the log', async () => {
    const lacking = new Set([D0, D0 + MINUTE, D0 + 5 * MINUTE]);
    const note = { kind: 'defect', found: 'two rows lack', done: 'asked of REST' } as const;
    const { historical, log } = calls({ day: { lacking, notes: [note] } });
    const { candles, missing, notes } = await historical.get(RANGE);
    expect(candles).toHaveLength(1_437);
    expect(missing).toEqual([
      { fromOpenTime: D0, toOpenTime: D0 + MINUTE },
      { fromOpenTime: D0 + 5 * MINUTE, toOpenTime: D0 + 5 * MINUTE },
    ]);
    expect(notes).toMatchObject([note]);
    const iso = (minutes: number) => new Date(D0 + minutes * MINUTE).toISOString();
    expect(log.lines).toMatchObject([
      {
        level: 'info',
        message: 'history: defect',
        fields: { found: 'two rows lack', done: 'asked of REST' },
      },
      {
        level: 'warn',
        fields: {
          series: 'BTCUSDT@1m',
          bars: 3,
          holes: 2,
          runs: [`${iso(0)}/${iso(2)}`, `${iso(5)}/${iso(6)}`],
        },
      },
    ]);
  });

  test('of which a part could not be asked for is an error, never a part', async () => {
    const { historical, doors } = calls({ day: { unreachedFrom: D0 + 10 * MINUTE } });
    await expect(historical.get(RANGE)).rejects.toMatchObject({ code: 'HISTORY_UNREACHED', retryable: true });
    expect(doors).toEqual({ opened: 1, closed: 1 });
  });
});

describe('a question about the past that can not work', () => {
  const far = D0 + 1_000_001 * MINUTE;
  test.each([
    ['no symbol', { symbol: undefined }, 'symbol', /letters, digits/],
    ['a path as symbol', { symbol: '../X' }, 'symbol', /letters, digits/],
    ['a month misspelled', { interval: '1mo' }, 'interval', /1M is a month/],
    ['no beginning', { from: undefined }, 'from', /ms since epoch/],
    ['a date that is none', { from: new Date(Number.NaN) }, 'from', /ms since epoch/],
    ['a text as time', { to: '2026-01-01' }, 'to', /ms since epoch/],
    ['a time before 1970', { from: -1 }, 'from', /ms since epoch/],
    ['an end before the beginning', { to: D0 - 1 }, 'to', /behind/],
    ['an end at the beginning', { to: D0 }, 'to', /behind/],
    ['a million and one bars', { to: far }, 'to', /at most 1000000 bars.*candlestate history/],
    ['a source that is none', { source: 'archive' }, 'source', /auto vision rest/],
    ['a signal that is none', { signal: {} }, 'signal', /AbortSignal/],
    ['an option that is none', { form: 1 }, 'form', /did you mean from/],
  ])('is refused and named: %s', async (_, wrong, option, message) => {
    const { historical, doors } = calls();
    const error = await historical.get({ ...RANGE, ...wrong }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(error).toMatchObject({ option, message: expect.stringMatching(message) });
    expect(doors.opened).toBe(0);
  });

  test('lists all that is wrong with it, and takes nothing at all for wrong, too', async () => {
    const { historical } = calls();
    await expect(historical.get({ symbol: 5, interval: '7m', from: 'x', to: 'y' })).rejects.toMatchObject({
      issues: [{ option: 'symbol' }, { option: 'interval' }, { option: 'from' }, { option: 'to' }],
    });
    await expect(historical.get(undefined)).rejects.toBeInstanceOf(ConfigurationError);
  });

  test('takes a million bars', async () => {
    const { historical } = calls({
      source: { load: async function* () {} },
    });
    await expect(historical.get({ ...RANGE, to: far - MINUTE })).resolves.toMatchObject({ candles: [] });
  });
});

describe('a question about the past that is ended', () => {
  /** A source that answers nothing, until it is aborted; and when it is, not at once. */
  const hanging = () => {
    const heard = Promise.withResolvers<void>();
    const letGo = Promise.withResolvers<void>();
    const plan: HistorySource['plan'] = async (_, signal) => {
      signal?.addEventListener('abort', () => heard.resolve());
      await letGo.promise;
      throw new Error('something of its own');
    };
    return { plan, heard: heard.promise, letGo: letGo.resolve };
  };

  test('by a stop is rejected at once; the stop waits until all is let go of', async () => {
    const source = hanging();
    const { historical, doors } = calls({ source });
    const both = [historical.get(RANGE), historical.get(RANGE)].map((call) => call.catch((error) => error));
    await new Promise(setImmediate);
    let isOver = false;
    const end = historical.end('asked').then(() => {
      isOver = true;
    });
    for (const error of await Promise.all(both)) {
      expect(error).toBeInstanceOf(ConnectionError);
      expect(error).toMatchObject({ code: 'STOPPED', message: expect.stringContaining('asked') });
    }
    await source.heard;
    expect(isOver).toBe(false);
    source.letGo();
    await end;
    expect(doors).toEqual({ opened: 2, closed: 2 });
    await historical.end('again');
  });

  test('by its own signal says so, and the others go on', async () => {
    const source = hanging();
    const { historical } = calls({ source });
    const mine = new AbortController();
    const call = historical.get({ ...RANGE, signal: mine.signal });
    const other = historical.get(RANGE);
    await new Promise(setImmediate);
    const reason = new Error('I have changed my mind');
    mine.abort(reason);
    await expect(call).rejects.toMatchObject({ code: 'ABORTED', cause: reason });
    await expect(historical.get({ ...RANGE, signal: mine.signal })).rejects.toMatchObject({
      code: 'ABORTED',
    });
    source.letGo();
    await expect(other).rejects.toThrow('something of its own');
  });

  test("by the collector's signal says so", async () => {
    const source = hanging();
    const whole = new AbortController();
    const { historical, doors } = calls({ source, signal: whole.signal });
    const call = historical.get(RANGE);
    await new Promise(setImmediate);
    whole.abort('enough');
    await expect(call).rejects.toMatchObject({ code: 'ABORTED', cause: 'enough' });
    await expect(historical.get(RANGE)).rejects.toMatchObject({ code: 'ABORTED' });
    source.letGo();
    await historical.end('asked');
    expect(doors).toEqual({ opened: 1, closed: 1 });
  });

  test('when there is nobody to ask, by the error of who opens', async () => {
    const failure = new ConnectionError('start first', { code: 'NOT_STARTED' });
    const { historical } = calls({
      open: () => {
        throw failure;
      },
    });
    await expect(historical.get(RANGE)).rejects.toBe(failure);
  });
});
