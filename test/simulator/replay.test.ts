import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { strFromU8, strToU8, unzipSync, zipSync } from 'fflate';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createReplayTruth, startSimulator, type WireBar } from '../../src/simulator/index.ts';
import { Client, eventually, getJson } from './client.ts';

const shared = new URL('../../../shared/', import.meta.url);
const dir = fileURLToPath(new URL('fixtures/vision', shared));
const day = Date.UTC(2026, 1, 3);
const tree = 'data/futures/um/daily/klines';
const rowsOf = (path: string): string[] =>
  strFromU8(Object.values(unzipSync(readFileSync(path)))[0] as Uint8Array)
    .trim()
    .split('\n')
    .filter((line) => !line.startsWith('open_time'));
const csvOf = (bar: WireBar | undefined): string | undefined =>
  bar &&
  [
    bar.openTime,
    bar.open,
    bar.high,
    bar.low,
    bar.close,
    bar.volume,
    bar.closeTime,
    bar.quoteVolume,
    bar.count,
    bar.takerBuyVolume,
    bar.takerBuyQuoteVolume,
    '0',
  ].join();

/** A folder of one small recording that the test may spoil. */
function recording(rows: readonly string[], name = 'AAAUSDT-1m-2026-02-03.zip'): string {
  const root = mkdtempSync(join(tmpdir(), 'replay-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  const path = join(root, tree, 'AAAUSDT', name.split('-')[1] as string, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, zipSync({ [name.replace('.zip', '.csv')]: strToU8(`${rows.join('\n')}\n`) }));
  return root;
}
const row = (minute: number, close: string, volume = '5'): string =>
  `${day + minute * 60_000},2,4.50,1,${close},${volume},${day + minute * 60_000 + 59_999},20.5,7,2,9,0`;

describe('replay', () => {
  test.skipIf(!existsSync(shared))('tells the rows of the files, letter by letter', () => {
    const truth = createReplayTruth(dir);
    expect(truth.symbols().map((info) => info.symbol)).toEqual(
      'ALGOUSDT AVAXUSDT DOTUSDT FILUSDT LINKUSDT LTCUSDT NEARUSDT'.split(' '),
    );
    for (const symbol of ['ALGOUSDT', 'LTCUSDT']) {
      const rows = rowsOf(join(dir, tree, symbol, '1m', `${symbol}-1m-2026-02-05.zip`));
      expect(rows.length).toBe(1440);
      for (const line of rows) expect(csvOf(truth.bar(symbol, '1m', Number(line.split(',')[0])))).toBe(line);
    }
    expect(truth.bar('ALGOUSDT', '1m', day - 60_000)).toBeUndefined();
    expect(truth.bar('ALGOUSDT', '1m', day + 7 * 86_400_000)).toBeUndefined();
    // Written without decimals in the file; not normalised.
    const fil = rowsOf(join(dir, 'data/futures/um/monthly/klines/FILUSDT/1m/FILUSDT-1m-2023-11.zip'));
    const odd = fil.find((line) => /^\d+,4,/.test(line)) as string;
    expect(truth.bar('FILUSDT', '1m', Number(odd.split(',')[0]))?.open).toBe('4');
    const lastMs = Number(odd.split(',')[6]);
    expect(truth.forming('FILUSDT', '1m', lastMs)).toEqual(
      truth.bar('FILUSDT', '1m', Number(odd.split(',')[0])),
    );
  });

  test.skipIf(!existsSync(shared))('forms recorded bars without taking anything back', () => {
    const truth = createReplayTruth(dir, ['AVAXUSDT']);
    for (let minute = 0; minute < 300; minute++) {
      const open = day + minute * 60_000;
      let before = truth.forming('AVAXUSDT', '1m', open) as WireBar;
      for (let at = open; at < open + 60_000; at += 1_111) {
        const now = truth.forming('AVAXUSDT', '1m', at) as WireBar;
        expect(now.count).toBeGreaterThanOrEqual(before.count);
        expect(Number(now.volume)).toBeGreaterThanOrEqual(Number(before.volume));
        if (before.count > 0) {
          expect(Number(now.high)).toBeGreaterThanOrEqual(Number(before.high));
          expect(Number(now.low)).toBeLessThanOrEqual(Number(before.low));
        }
        before = now;
      }
      expect(truth.forming('AVAXUSDT', '1m', open + 59_999)).toEqual(truth.bar('AVAXUSDT', '1m', open));
    }
  });

  test.skipIf(!existsSync(shared))(
    'streams the recorded rows and serves the files byte for byte',
    async () => {
      await using sim = await startSimulator({
        replayDir: dir,
        symbols: ['ALGOUSDT', 'LTCUSDT'],
        timeScale: 36_000,
      });
      expect(sim.now()).toBeGreaterThanOrEqual(day);
      expect(sim.now()).toBeLessThan(day + 86_400_000);
      const client = await Client.open(
        `${sim.wsUrl}/market/stream?streams=algousdt@kline_1m/ltcusdt@kline_1h`,
      );
      await eventually(() => client.closes('algousdt@kline_1m').length > 500, 'five hundred bars');
      const rows = new Set(
        ['03', '04', '05'].flatMap((d) =>
          rowsOf(join(dir, tree, `ALGOUSDT/1m/ALGOUSDT-1m-2026-02-${d}.zip`)),
        ),
      );
      const closes = client.closes('algousdt@kline_1m');
      closes.forEach(({ data: { k } }, i) => {
        expect(rows).toContain([k.t, k.o, k.h, k.l, k.c, k.v, k.T, k.q, k.n, k.V, k.Q, '0'].join());
        if (i > 0) expect(k.t).toBe((closes[i - 1]?.data.k.T ?? 0) + 1);
      });
      const path = `${tree}/ALGOUSDT/1m/ALGOUSDT-1m-2026-02-04.zip`;
      for (const file of [path, `${path}.CHECKSUM`]) {
        const served = Buffer.from(await (await fetch(`${sim.visionUrl}/${file}`)).arrayBuffer());
        expect(served.equals(readFileSync(join(dir, file)))).toBe(true);
      }
      const hour = await getJson<unknown[][]>(
        `${sim.restUrl}/fapi/v1/klines?symbol=LTCUSDT&interval=1h&startTime=${day}&limit=1`,
      );
      const minutes = rowsOf(join(dir, tree, 'LTCUSDT/1m/LTCUSDT-1m-2026-02-03.zip')).slice(0, 60);
      expect(hour[0]?.[8]).toBe(minutes.reduce((sum, line) => sum + Number(line.split(',')[8]), 0));
    },
  );

  test('is silent where and when there are no rows', async () => {
    const replayDir = recording([row(0, '3'), row(1, '2.5'), row(5, '2.2')]);
    // Ten minutes before the first row: a third of a second to connect in, also on a busy machine.
    const startTime = day - 10 * 60_000;
    await using sim = await startSimulator({ replayDir, timeScale: 1800, startTime });
    const client = await Client.open(`${sim.wsUrl}/market/stream?streams=aaausdt@kline_1m/aaausdt@kline_5m`);
    await eventually(() => client.closes('aaausdt@kline_5m').length === 2, 'the closes of both blocks');
    await eventually(() => sim.now() > day + 20 * 60_000, 'the time after the last row');
    const opens = (stream: string): number[] =>
      client.closes(stream).map(({ data }) => (data.k.t - day) / 60_000);
    expect(opens('aaausdt@kline_1m')).toEqual([0, 1, 5]);
    expect(opens('aaausdt@kline_5m')).toEqual([0, 5]);
    const url = `${sim.restUrl}/fapi/v1/klines?symbol=AAAUSDT&interval=1m&limit=10`;
    expect((await getJson<[number][]>(url)).map((r) => (r[0] - day) / 60_000)).toEqual([0, 1, 5]);
    expect(sim.truth.bar('AAAUSDT', '5m', day)).toMatchObject({
      open: '2.00',
      high: '4.50',
      close: '2.50',
      count: 14,
    });
  });

  test('uses files of a larger interval when there are no minutes', () => {
    const hours = [0, 1, 2].map((h) =>
      row(h * 60, '3').replace(/,(\d{13}),/, `,${day + h * 3_600_000 + 3_599_999},`),
    );
    const truth = createReplayTruth(recording(hours, 'AAAUSDT-1h-2026-02-03.zip'));
    expect(truth.bar('AAAUSDT', '1h', day + 3_600_000)).toMatchObject({ close: '3', count: 7 });
    expect(truth.bar('AAAUSDT', '1d', day)).toMatchObject({ close: '3.00', count: 21 });
    expect(truth.bar('AAAUSDT', '1m', day)).toBeUndefined();
  });

  test('names the file, or the symbol, that is wrong', () => {
    const spoilt = recording([row(0, '3')]);
    const path = join(spoilt, tree, 'AAAUSDT/1m/AAAUSDT-1m-2026-02-03.zip');
    writeFileSync(`${path}.CHECKSUM`, `${'0'.repeat(64)}  AAAUSDT-1m-2026-02-03.zip\n`);
    expect(() => createReplayTruth(spoilt)).toThrow(/AAAUSDT-1m-2026-02-03\.zip does not match its CHECKSUM/);
    const copy = recording([]);
    cpSync(spoilt, copy, { recursive: true });
    rmSync(join(copy, tree, 'AAAUSDT/1m/AAAUSDT-1m-2026-02-03.zip.CHECKSUM'));
    writeFileSync(join(copy, tree, 'AAAUSDT/1m/AAAUSDT-1m-2026-02-03.zip'), 'no zip');
    expect(() => createReplayTruth(copy)).toThrow(/2026-02-03\.zip is no zip file/);
    expect(() => createReplayTruth(recording(['abc,1,2']))).toThrow(/line 1/);
    expect(() => createReplayTruth(recording([row(0, '3')]), ['BBBUSDT'])).toThrow(/BBBUSDT/);
    expect(() => createReplayTruth(join(tmpdir(), 'no-such-folder-at-all'))).toThrow(/cannot read/);
  });
});
