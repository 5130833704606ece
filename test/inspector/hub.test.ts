/** What pages are told while they look, and that none of them holds up another. */
import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import type { SeriesSource } from '../../src/inspector/live/series-source.ts';
import { until } from '../support/wait.ts';
import { settle } from '../transport/fake-clock.ts';
import { looking } from './looking.ts';

const MB = 1_024 * 1_024;
const ascending = (numbers: readonly number[]): number[] => [...new Set(numbers)].sort((a, b) => a - b);

describe('who looks', () => {
  test('gets the whole picture first, and then what has changed', async () => {
    const { look, pass, crowd } = await looking();
    const page = await look();
    const [picture] = page.pictures;
    expect(picture).toMatchObject({ type: 'picture', version: '1.2.3', recent: [] });
    expect(picture!.actors.map((row) => row.name)).toContain('stream.BTCUSDT@1m');
    expect(picture!.strip).toMatchObject({ state: 'streaming', healthy: true, streams: { live: 4 } });
    crowd.drop();
    await pass(100, page);
    expect(page.messages).toHaveLength(2);
    const [news] = page.news;
    expect(news!.actors!.map((row) => row.name)).toEqual(expect.arrayContaining(['feed0.a', 'feed0']));
    expect(news!.gone).toHaveLength(1);
    expect(news!.recent![0]).toMatchObject({ name: 'feed0.a', event: 'SOCKET.CLOSED' });
  });

  test('late sees all as it is then, and from then on what the others see', async () => {
    const { look, pass, crowd } = await looking();
    const early = await look();
    crowd.drop();
    await pass(1_000, early);
    const late = await look();
    const row = late.pictures[0]!.actors.find((actor) => actor.name === 'feed0.a');
    expect(row).toMatchObject({ value: { waiting: 'resting' } });
    expect(late.pictures[0]!.recent).toEqual(early.news[0]!.recent);
    crowd.hole(crowd.series[0]!);
    await pass(1_000, early, late);
    expect(late.texts.slice(1)).toEqual(early.texts.slice(-late.texts.length + 1));
  });

  test('is told of every transition once, in order, in batches of 100 ms', async () => {
    const { look, pass, crowd, clock } = await looking();
    const page = await look();
    const before = page.messages.length;
    for (let batch = 0; batch < 20; batch++) {
      for (let part = 0; part < 4; part++) {
        crowd.storm();
        await pass(25, page);
      }
    }
    const told = page.news.slice(before - 1);
    expect(told).toHaveLength(20);
    for (const [index, { at }] of told.entries())
      if (index > 0) expect(at - told[index - 1]!.at).toBeGreaterThanOrEqual(100);
    expect(page.seqs).toEqual(ascending(page.seqs));
    expect(page.seqs).toHaveLength(20 * 4 * 8);
    expect(clock.pending).toBe(1);
  });

  test('sees the strip twice a second; health, which costs something, is asked once a second', async () => {
    const { look, pass, crowd } = await looking();
    const page = await look();
    const { asked, counters } = crowd.collector;
    const healths = asked.health;
    for (let tenth = 0; tenth < 50; tenth++) {
      counters.frames += 120;
      await pass(100, page);
    }
    const strips = page.news.flatMap(({ strip }) => strip ?? []);
    expect(strips.length).toBeGreaterThanOrEqual(9);
    expect(strips.length).toBeLessThanOrEqual(11);
    expect(asked.health - healths).toBeLessThanOrEqual(5);
    expect(strips.at(-1)).toMatchObject({
      messagesPerSecond: 1_200,
      lagMs: 38,
      weight: { used: 84, limit: 2_400 },
      lastCommit: { agoMs: 120, tookMs: 4 },
      bars: { stream: 0, rest: 0, vision: 0 },
    });
    for (let tenth = 0; tenth < 15; tenth++) await pass(100, page);
    expect(page.news.at(-1)!.strip ?? page.news.at(-2)!.strip).toMatchObject({ messagesPerSecond: 0 });
  });

  test('never sees a collector that has stopped streaming, and is well', async () => {
    const { look, pass, crowd } = await looking();
    const page = await look();
    crowd.collector.figures.state = 'connecting';
    const states = (): unknown[] =>
      page.news.flatMap(({ strip }) => (strip === undefined ? [] : [[strip.state, strip.healthy]]));
    for (let tenth = 0; tenth < 6; tenth++) await pass(100, page);
    expect(states().at(-1)).toEqual(['connecting', false]);
    expect(states()).not.toContainEqual(['connecting', true]);
    expect(states()).not.toContainEqual(['streaming', false]);
  });

  test('is told how it ended before it is told that it is over', async () => {
    const { look, pass, crowd, hub } = await looking();
    const page = await look();
    await pass(500, page);
    await crowd.stop();
    crowd.collector.figures.state = 'stopped';
    hub.close();
    await until('it has gone', () => page.closed !== undefined);
    expect(page.closed).toBe(1001);
    expect(page.news.at(-1)).toMatchObject({ strip: { state: 'stopped', healthy: false } });
    expect(page.news.at(-1)!.actors!.find(({ name }) => name === 'collector')).not.toMatchObject({
      status: 'active',
    });
  });

  test('finds the number of series by state right, whatever went on while nobody looked', async () => {
    const { look, crowd } = await looking();
    await crowd.silence(crowd.series[0]!, 'mute');
    crowd.hole(crowd.series[1]!);
    const page = await look();
    expect(page.pictures[0]!.strip).toMatchObject({
      healthy: false,
      streams: { live: 2, mute: 1, repairing: 1 },
    });
  });
});

test('while nobody looks there is no timer, and nothing is read', async () => {
  const { look, pass, clock, crowd, hub } = await looking();
  expect(clock.pending).toBe(0);
  const page = await look();
  expect(clock.pending).toBe(1);
  page.socket.close();
  await until('it has gone', () => hub.clients === 0);
  await pass(200);
  expect(clock.pending).toBe(0);
  const { health } = crowd.collector.asked;
  await pass(5_000);
  expect(crowd.collector.asked.health).toBe(health);
});

describe('one that does not keep up', () => {
  test('B09 that never reads has a bound, costs the others nothing, and is dropped after half a minute', async () => {
    const { look, stall, pass, sockets, hub } = await looking({ loudBytes: 800_000 });
    const page = await look();
    await stall();
    const before = page.news.length;
    let most = 0;
    for (let batch = 0; batch < 30; batch++) {
      await pass(100, page);
      most = Math.max(most, sockets[1]!.bufferedAmount);
    }
    expect(most).toBeGreaterThan(MB);
    expect(most).toBeLessThan(2 * MB);
    expect(page.news.length - before).toBe(30);
    await pass(31_000, page);
    await until('it is dropped', () => hub.clients === 1);
    expect(page.closed).toBeUndefined();
  });

  test('and reads again gets the whole picture, not the news that it missed', async () => {
    const { look, pass, crowd, sockets } = await looking({ loudBytes: 800_000 });
    const page = await look();
    page.socket.pause();
    for (let batch = 0; batch < 30; batch++) await pass(100);
    expect(sockets[0]!.bufferedAmount).toBeGreaterThan(MB);
    crowd.drop();
    await pass(100);
    page.socket.resume();
    await until('all has gone to it', () => sockets[0]!.bufferedAmount === 0);
    await pass(100, page);
    expect(page.news.length).toBeLessThan(30);
    expect(page.pictures).toHaveLength(2);
    const whole = page.pictures[1]!;
    expect(whole.actors.find((row) => row.name === 'feed0.a')).toMatchObject({
      value: { waiting: 'resting' },
    });
    crowd.hole(crowd.series[0]!);
    await pass(100, page);
    expect(page.messages.at(-1)).toMatchObject({ type: 'news', recent: [{ event: 'CURSOR.HOLE' }] });
  });

  test('that answers no ping is dropped; one that does is not', async () => {
    const { page, look, pass, hub } = await looking();
    const [deaf, well] = [await page({ autoPong: false }), await look()];
    for (let second = 0; second < 14; second++) await pass(1_000, well);
    expect(hub.clients).toBe(2);
    for (let second = 0; second < 18; second++) await pass(1_000, well);
    await until('the deaf one is gone', () => deaf.closed !== undefined);
    expect([hub.clients, well.closed]).toEqual([1, undefined]);
  });
});

test('X12 the thirty-third page is sent away, and there is room again when one has gone', async () => {
  const { page, pass, hub } = await looking();
  const pages = await Promise.all(Array.from({ length: 32 }, () => page()));
  const one = await page();
  await until('it is sent away', () => one.closed !== undefined);
  expect([one.closed, hub.clients]).toEqual([1013, 32]);
  pages[0]!.socket.terminate();
  await until('one has gone', () => hub.clients === 31);
  const next = await page();
  await pass(200, next);
  expect(next.pictures).toHaveLength(1);
});

describe('a page that talks nonsense is dropped', () => {
  test.each([
    ['no JSON', 'hello'],
    ['another type', { type: 'send', event: 'STOP' }],
    ['something more', { type: 'watch', series: 'BTCUSDT@1m', also: 1 }],
    ['no series', { type: 'watch', series: 'BTCUSDT' }],
    ['no interval of the exchange', { type: 'watch', series: 'BTCUSDT@7m' }],
    ['a number', { type: 'watch', series: 7 }],
    ['too long a name', { type: 'watch', series: `${'X'.repeat(100)}@1m` }],
    ['more than a kilobyte', `${' '.repeat(1_100)}{"type":"watch"}`],
  ])('%s', async (_, message) => {
    const { look, pass, hub } = await looking();
    const [page, other] = [await look(), await look()];
    page.say(message);
    await until('it is dropped', () => page.closed !== undefined);
    expect(page.closed).toBe(1008);
    await pass(1_000, other);
    expect([hub.clients, other.closed]).toEqual([1, undefined]);
  });

  test('bytes, and more messages than anybody clicks', async () => {
    const { look, hub } = await looking();
    const [one, other] = [await look(), await look()];
    one.socket.send(Buffer.from('{"type":"watch"}'), { binary: true });
    for (let time = 0; time < 25; time++) other.say({ type: 'watch' });
    await until('both are dropped', () => one.closed === 1008 && other.closed === 1008);
    expect(hub.clients).toBe(0);
  });

  test('though it does not answer the close', async () => {
    const { look, pass, hub } = await looking();
    const page = await look();
    const raw = (page.socket as unknown as { _socket: { pause(): void; write(data: Buffer): void } })._socket;
    raw.pause();
    page.say('nonsense');
    await settle();
    await pass(1_500);
    await until('it is gone', () => hub.clients === 0);
  });
});

describe('news of candles', () => {
  const script = () => {
    const asked: [string, number | undefined][] = [];
    const forgotten: string[] = [];
    let until = 0;
    const source: SeriesSource = {
      newsOf: (series, since) => {
        asked.push([series, since]);
        if (series === 'NONE@1m') return undefined;
        until += 1;
        return { news: { series, bars: [] }, until };
      },
      forget: (series) => void forgotten.push(series),
    };
    return { source, asked, forgotten };
  };

  test('go to those who show the series, each from where it was', async () => {
    const { source, asked, forgotten } = script();
    const { look, pass } = await looking({ series: source });
    const [btc, also, none, nobody] = [await look(), await look(), await look(), await look()];
    btc.say({ type: 'watch', series: 'BTCUSDT@1m' });
    none.say({ type: 'watch', series: 'NONE@1m' });
    await pass(100, btc, none);
    await pass(100, btc, none);
    const ofBtc = asked.filter(([series]) => series === 'BTCUSDT@1m');
    expect(ofBtc[0]).toEqual(['BTCUSDT@1m', undefined]);
    expect(ofBtc.slice(1).map(([, since]) => since)).toEqual(ofBtc.slice(1).map((_, index) => index + 1));
    const news = (page: typeof btc) => page.news.flatMap(({ series }) => series ?? []);
    expect(news(btc).length).toBeGreaterThan(0);
    expect([news(none), news(nobody)]).toEqual([[], []]);

    also.say({ type: 'watch', series: 'BTCUSDT@1m' });
    await pass(200, btc, also);
    expect(news(also).length).toBeGreaterThan(0);
    btc.say({ type: 'watch' });
    await pass(100, btc);
    expect(forgotten).toEqual([]);
    also.socket.terminate();
    await until('it is forgotten', () => forgotten.length > 0);
    expect(forgotten).toEqual(['BTCUSDT@1m']);
  });
});

test('candles of the series that a page shows come as they close, form, are lacking and are corrected', async () => {
  const { look, pass, crowd } = await looking({ candles: true });
  const [page, other] = [await look(), await look()];
  const [series] = crowd.series;
  const told = () => page.news.flatMap((news) => news.series ?? []);
  page.say({ type: 'watch', series: 'BTCUSDT@1m' });
  await pass(100, page);
  await pass(100, page);
  expect(told()[0]).toMatchObject({ series: 'BTCUSDT@1m', gaps: [{ status: 'open' }] });
  expect(told()[0]!.bars).toHaveLength(100);
  const before = told().length;
  crowd.close(series!);
  await pass(100, page);
  const { bars } = crowd.collector.candles(series!);
  expect(told().slice(before)).toMatchObject([
    { bars: [{ openTime: bars.at(-1)!.openTime, source: 'stream' }] },
  ]);
  crowd.collector.revise(series!);
  crowd.collector.lack(series!);
  await pass(100, page);
  expect(told().at(-1)).toMatchObject({ bars: [{ revised: true }], gaps: [{}, { status: 'open' }] });
  await pass(1_000, page, other);
  expect(told()).toHaveLength(before + 2);
  expect(other.news.flatMap((news) => news.series ?? [])).toEqual([]);
});

test('B09 what costs much is told less often: the collector keeps five sixths of its time', async () => {
  const slow: SeriesSource = {
    newsOf: (series) => {
      state.clock.freeze(60);
      return { news: { series, bars: [] }, until: 0 };
    },
    forget: () => {},
  };
  const state = await looking({ series: slow });
  const page = await state.look();
  page.say({ type: 'watch', series: 'BTCUSDT@1m' });
  await state.pass(100, page);
  const before = page.news.length;
  await state.pass(3_600, page);
  const batches = page.news.slice(before).filter((news) => news.series !== undefined);
  expect(batches.length).toBeGreaterThanOrEqual(9);
  expect(batches.length).toBeLessThanOrEqual(11);
});

describe('whatever goes wrong', () => {
  test('in what it reads is said once, and the rest goes on', async () => {
    const faulty = { newsOf: () => bang(), forget: () => bang() };
    const { look, pass, crowd, log } = await looking({ series: faulty });
    crowd.collector.health = bang;
    const page = await look();
    page.say({ type: 'watch', series: 'BTCUSDT@1m' });
    await pass(3_000, page);
    crowd.drop();
    await pass(200, page);
    expect(page.pictures[0]).toMatchObject({ strip: { state: 'unknown' } });
    expect(page.news.flatMap((news) => news.recent ?? [])[0]).toMatchObject({ event: 'SOCKET.CLOSED' });
    expect(log.lines.map(({ level, fields }) => [level, fields['what']])).toEqual([
      ['warn', 'strip'],
      ['warn', 'series'],
    ]);
  });

  test('a hub that closes says so to all, has no timer left, and takes nobody any more', async () => {
    const { look, page, pass, hub, clock } = await looking();
    const one = await look();
    hub.close();
    hub.close();
    await until('it has heard', () => one.closed !== undefined);
    expect(one.closed).toBe(1001);
    await pass(200);
    expect([hub.clients, clock.pending]).toEqual([0, 0]);
    const late = await page();
    await until('it is sent away', () => late.closed === 1001);
  });

  test('terminate waits for nobody', async () => {
    const { look, stall, hub, clock, sockets } = await looking();
    await look();
    await stall();
    hub.terminate();
    expect(clock.pending).toBe(0);
    await until('all are gone', () => hub.clients === 0);
    expect(sockets.every((socket) => socket.readyState === WebSocket.CLOSED)).toBe(true);
  });
});

function bang(): never {
  throw new Error('bang');
}

test('X01 no message has a secret, whatever events and contexts carry', async () => {
  const { look, pass, crowd } = await looking();
  const page = await look();
  crowd.drop('feed0.a', 'dial wss://user:canary-1@host/stream?listenKey=canary-2 failed: token=canary-3');
  crowd.actor.send({ type: 'REST.BANNED', forMs: 1, reason: 'Authorization: Bearer canary-4' });
  crowd.actor.send({ type: 'START', apiKey: 'canary-5' } as { type: 'START' });
  crowd.actor.send({
    type: 'xstate.error.actor.x',
    actorId: 'x',
    error: Object.assign(new Error('signature=canary-6'), { headers: { cookie: 'canary-7' } }),
  } as never);
  await pass(200, page);
  const late = await look();
  const told = [...page.texts, ...late.texts].join('\n');
  expect(told).toContain('xstate.error.actor.x');
  expect(told).toContain('***');
  expect(told).not.toContain('canary');
});

test('B09 five thousand streams: a picture of a megabyte in a moment, and a storm of changes in another', async () => {
  const { look, pass, crowd, observer } = await looking({ streams: 5_000 });
  const began = performance.now();
  const page = await look();
  const pictureMs = performance.now() - began;
  expect(page.pictures[0]!.actors.length).toBeGreaterThan(5_000);
  expect(page.texts[0]!.length).toBeLessThan(2 * MB);
  expect(pictureMs).toBeLessThan(2_000);
  crowd.storm();
  const stormed = performance.now();
  const { actors, recent } = observer.takeChanges();
  const takeMs = performance.now() - stormed;
  expect([actors.length, recent.length]).toEqual([5_000, 150]);
  expect(takeMs).toBeLessThan(1_000);
  crowd.hole(crowd.series[0]!);
  await pass(100, page);
  // The strip costs as much as before: nothing is counted anew.
  expect(page.news.at(-1)!.actors).toHaveLength(2);
});
