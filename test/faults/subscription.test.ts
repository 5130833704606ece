/** Frames that are not what was subscribed, or not what they should be, over a simulated exchange. */
import { describe, expect, test } from 'vitest';
import { ofSeries, startExchange } from '../support/collector.ts';
import { klineText } from '../support/kline-text.ts';
import { until } from '../support/wait.ts';
import { expectWholeAfter, streaming } from './collected.ts';
import { exchangeReaches, openMinute, sendText, truthOf } from './frames.ts';

const startBusy = () => startExchange({ timeScale: 240 });
const opens = (exchange: Awaited<ReturnType<typeof startBusy>>): number =>
  exchange.log().filter((entry) => entry.kind === 'open').length;

describe('P07 what the exchange says that is new', () => {
  test('P07 an event type, a field or a value that nobody knew is counted, and the rest of the message is used', async () => {
    const exchange = await startBusy();
    const watched = await streaming(exchange);
    const before = { ...watched.collector.status().counters };
    sendText(exchange, JSON.stringify({ e: 'tradingSchedule', E: 1, reason: 'holiday' }));
    sendText(exchange, JSON.stringify({ stream: 'btcusdt@novelty', data: [{ e: 'novelty' }] }));
    const streams = ['btcusdt@kline_1m'];
    exchange.inject({ kind: 'closes', mode: 'omit', streams, times: 1 });
    const openTime = openMinute(exchange);
    await exchangeReaches(exchange, openTime + 60_100);
    // The close itself, with fields that were not there before, and a status of an unknown kind.
    const truth = truthOf(exchange, 'BTCUSDT', openTime);
    const change = { k: { ps: 'BTCUSDT', st: 'AUCTION', deep: { er: [1] } }, event: { ver: 9, mode: 'NEW' } };
    sendText(exchange, klineText(truth, change));
    await until('the bar', () =>
      ofSeries(watched.candles, 'BTCUSDT').some((one) => one.openTime === openTime),
    );
    const { counters } = watched.collector.status();
    expect(counters.ignored).toBe(before.ignored + 2);
    expect(counters.malformed).toBe(before.malformed);
    expect(watched.candles.find((one) => one.symbol === 'BTCUSDT' && one.openTime === openTime)?.source).toBe(
      'stream',
    );
    await expectWholeAfter(exchange, watched);
  });
});

describe('P08 frames that cannot be read', () => {
  test('P08 are counted and harm nobody, whatever they are', async () => {
    const exchange = await startBusy();
    const watched = await streaming(exchange);
    const truth = truthOf(exchange, 'BTCUSDT', openMinute(exchange) - 60_000);
    const whole = klineText(truth);
    const texts = [
      whole.slice(0, -40),
      '',
      'null',
      '[]',
      '"x"',
      '17',
      '1e400',
      '['.repeat(5_000),
      `{"stream":"btcusdt@kline_1m","data":${'{"a":'.repeat(3_000)}1${'}'.repeat(3_000)}}`,
      whole.replace('"x":true', '"x":1e400'),
      whole.replace(`"t":${truth.openTime}`, '"t":1e400'),
    ];
    // A lone surrogate is a name like another, of nothing that we know.
    const strange = '{"stream":"\\ud800","data":null}';
    const before = { ...watched.collector.status().counters };
    for (const text of [...texts, strange]) sendText(exchange, text);
    await until('they came', () => watched.collector.status().counters.ignored === before.ignored + 1);
    expect(watched.collector.status().counters.malformed).toBe(before.malformed + texts.length);
    expect(opens(exchange)).toBe(1);
    await expectWholeAfter(exchange, watched);
    expect(watched.course()).toBe('connecting streaming stopping stopped');
  });

  test('P08 a hundred in a row cost the socket, and a new one is made', async () => {
    const exchange = await startBusy();
    const watched = await streaming(exchange);
    exchange.inject({ kind: 'mute' });
    exchange.inject({ kind: 'malformed', text: '{"e":', times: 150 });
    await until('a second socket', () => opens(exchange) === 2);
    exchange.clearFaults();
    await until('it streams again', () => watched.collector.isConnected);
    await expectWholeAfter(exchange, watched);
  });
});

describe('P09 fields whose type has changed', () => {
  test('P09 frames of a series that cannot be understood are said once; its bars come by REST, and others go on', async () => {
    const exchange = await startBusy();
    const watched = await streaming(exchange);
    exchange.inject({ kind: 'mute', streams: ['btcusdt@kline_1m'] });
    const from = exchange.now();
    const drifts: Record<string, unknown>[] = [{ x: 'true' }, { t: 'soon' }, { i: 60 }, { s: 7 }];
    for (let round = 0; round < 40; round++)
      sendText(
        exchange,
        klineText(truthOf(exchange, 'BTCUSDT', openMinute(exchange) - 60_000), { k: drifts[round % 4]! }),
      );
    const state = (): string | undefined =>
      watched.collector.status().series.find(({ symbol }) => symbol === 'BTCUSDT')?.state;
    await until('the state says so', () => state() === 'mute');
    const since = (symbol: string) =>
      ofSeries(watched.candles, symbol).filter(({ openTime }) => openTime > from);
    await until('bars of both', () => since('BTCUSDT').length > 2 && since('ETHUSDT').length > 2);
    expect(since('BTCUSDT').every(({ source }) => source === 'rest')).toBe(true);
    expect(watched.collector.isConnected).toBe(true);
    const said = watched.log.lines.filter(({ message }) =>
      /frames of a series cannot be understood/u.test(message),
    );
    expect(said).toMatchObject([{ fields: { series: 'BTCUSDT@1m' } }]);
    exchange.clearFaults();
    await until('it is live again', () => state() === 'live' || state() === 'repairing');
    await expectWholeAfter(exchange, watched);
  });

  test('P09 closes with numbers for text are turned away and said; their bars come by REST', async () => {
    const exchange = await startBusy();
    const watched = await streaming(exchange);
    exchange.inject({ kind: 'closes', mode: 'omit', streams: ['btcusdt@kline_1m'], times: 4 });
    for (let bar = 0; bar < 4; bar++) {
      const openTime = openMinute(exchange);
      await exchangeReaches(exchange, openTime + 60_100);
      const truth = truthOf(exchange, 'BTCUSDT', openTime);
      sendText(exchange, klineText(truth, { k: { o: truth.open, c: truth.close } }));
    }
    await until('they were said', () =>
      watched.log.lines.some(({ message }) => /closes of a series cannot be read/u.test(message)),
    );
    await expectWholeAfter(exchange, watched);
    expect(
      watched.log.lines.filter(({ message }) => /closes of a series cannot be read/u.test(message)),
    ).toHaveLength(1);
  });
});

describe('P10 data that was not asked for', () => {
  test('P10 of another symbol or interval is counted and kept out; in a raw envelope ours is taken', async () => {
    const exchange = await startBusy();
    const watched = await streaming(exchange);
    const openTime = openMinute(exchange);
    const truth = truthOf(exchange, 'ETHUSDT', openTime - 60_000);
    const before = { ...watched.collector.status().counters };
    sendText(exchange, klineText({ ...truth, symbol: 'DOGEUSDT' }));
    sendText(exchange, klineText({ ...truth, interval: '1h' }));
    // What the envelope says is not what counts.
    sendText(exchange, klineText(truth, { k: { s: 'DOGEUSDT' }, event: { s: 'DOGEUSDT' } }));
    await until('they came', () => watched.collector.status().counters.foreign === before.foreign + 3);
    exchange.inject({ kind: 'closes', mode: 'omit', streams: ['ethusdt@kline_1m'], times: 1 });
    await exchangeReaches(exchange, openTime + 60_100);
    const raw = JSON.parse(klineText(truthOf(exchange, 'ETHUSDT', openTime))) as { data: unknown };
    sendText(exchange, JSON.stringify(raw.data));
    const find = () => ofSeries(watched.candles, 'ETHUSDT').find((one) => one.openTime === openTime);
    await until('the bar', () => find() !== undefined);
    expect(find()?.source).toBe('stream');
    await expectWholeAfter(exchange, watched);
    expect(new Set(watched.candles.map(({ symbol, interval }) => `${symbol}@${interval}`)).size).toBe(2);
  });
});

describe('P11 keys that are not what they seem', () => {
  test('P11 a key twice counts as its last, and __proto__ reaches nothing', async () => {
    const exchange = await startBusy();
    const watched = await streaming(exchange);
    exchange.inject({ kind: 'closes', mode: 'omit', streams: ['btcusdt@kline_1m'], times: 2 });
    const openTime = openMinute(exchange);
    await exchangeReaches(exchange, openTime + 60_100);
    const text = klineText(truthOf(exchange, 'BTCUSDT', openTime));
    const before = { ...watched.collector.status().counters };
    // Closed by its prototype alone: that is a frame without x.
    sendText(exchange, text.replace('"x":true', '"__proto__":{"x":true,"polluted":1}'));
    await until('it came', () => watched.collector.status().counters.malformed === before.malformed + 1);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    sendText(
      exchange,
      text.replace('"x":true', '"x":false,"x":true,"constructor":{"prototype":{"polluted":1}}'),
    );
    const find = () => ofSeries(watched.candles, 'BTCUSDT').find((one) => one.openTime === openTime);
    await until('the bar', () => find() !== undefined);
    expect(find()?.source).toBe('stream');
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    await expectWholeAfter(exchange, watched);
  });
});
