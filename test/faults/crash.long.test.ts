/** What is found after a crash: the first part of what was committed, whole, and never anything else. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readCandles } from '../../src/store/reader.ts';
import { ADD_BEGINNINGS, REVISIONS_INDEX, SET_BEGINNINGS } from '../../src/store/schema.ts';
import { Snapshot } from '../../src/store/snapshot.ts';
import { at } from '../pipeline/candles.ts';
import { countsIn, found } from '../store/faulty.ts';
import { execute } from '../store/stores.ts';
import {
  collectFrom,
  expectWhole,
  folder,
  newStore,
  query,
  startExchange,
  storedCandles,
} from '../support/collector.ts';
import { seeded } from '../support/seeded.ts';
import { until, within } from '../support/wait.ts';
import {
  changedIn,
  FRAME,
  FRAME_HEADER,
  framesOf,
  lay,
  leftovers,
  openedPrefixIn,
  PAGE,
  prefixIn,
  SECTOR,
} from './leftovers.ts';

const BOTH = ['BTCUSDT', 'ETHUSDT'];
/** Each once, in order. */
const ascending = (times: readonly number[]): number[] => [...new Set(times)].sort((a, b) => a - b);
/** The same with one bit turned over. */
const flipped = (bytes: Buffer, bit: number): Buffer => {
  const copy = Buffer.from(bytes);
  copy[bit >> 3]! ^= 1 << (bit & 7);
  return copy;
};

/** Those bytes of which parts were not written: sectors of `after` that are still as in `before`, or were never there. */
function inPart(before: Buffer, after: Buffer, random: () => number): Buffer {
  const found = Buffer.from(after);
  // Often a few, now and then all.
  const lost = random() ** 6;
  for (let at = 0; at < found.length; at += SECTOR)
    if (random() < lost) {
      found.fill(0, at, Math.min(at + SECTOR, found.length));
      if (at < before.length) before.copy(found, at, at, Math.min(at + SECTOR, found.length));
    }
  // What is written first to a WAL that begins anew is waited for: its header.
  after.copy(found, 0, 0, 32);
  return found;
}

test('S03 a WAL that is cut anywhere in the last batch holds all before it, and nothing of it', () => {
  const { db, wal, total, lastBatchAt } = leftovers();
  const place = folder();
  const end = (framesOf(wal).at(-1)?.at ?? 0) + FRAME;
  const cuts = new Set<number>();
  for (let cut = lastBatchAt; cut < end; cut += 101) cuts.add(cut);
  for (let frame = lastBatchAt; frame < end; frame += FRAME)
    for (const off of [-1, 0, 1, FRAME_HEADER]) if (frame + off >= lastBatchAt) cuts.add(frame + off);
  cuts.add(end - 1);
  expect(cuts.size).toBeGreaterThan(100);
  for (const cut of cuts)
    expect([cut, prefixIn(lay(place, { db, wal: wal.subarray(0, cut) }))]).toEqual([cut, total - 12]);
  expect(prefixIn(lay(place, { db, wal }))).toBe(total);
});

test('S04 a bit that flips in the WAL ends it there: what was committed before is served, a wrong value never', () => {
  const { db, wal, inFile, total } = leftovers();
  const random = seeded(4);
  const place = folder();
  const counts = new Set<number>();
  for (let round = 0; round < 150; round++) {
    const bit = Math.floor(random() * wal.length * 8);
    const count = prefixIn(lay(place, { db, wal: flipped(wal, bit) }));
    expect(count).toBeGreaterThanOrEqual(inFile);
    counts.add(count);
  }
  expect(counts.size).toBeGreaterThan(3);
  expect(Math.max(...counts)).toBeLessThanOrEqual(total);
});

test('S04 a bit that flips in the file is found by a look at it, or is one in the digits of a single bar, or in none', () => {
  const { db, wal } = leftovers();
  const place = folder();
  const source = lay(place, { db, wal });
  const total = openedPrefixIn(source);
  const bytes = readFileSync(source);
  const random = seeded(5);
  const told = { found: 0, digits: 0, nothing: 0 };
  for (let round = 0; round < 150; round++) {
    const path = lay(place, {
      db: flipped(bytes, Math.floor(random() * bytes.length * 8)),
      wal: Buffer.alloc(0),
    });
    let isFound: boolean;
    try {
      isFound = Object.keys(countsIn(found(path))).length > 0;
    } catch {
      isFound = true;
    }
    if (isFound) {
      told.found += 1;
      continue;
    }
    const stored = storedCandles(path);
    const changed = changedIn(stored);
    expect([stored.length, Math.min(changed.length, 2)]).toEqual([total, changed.length]);
    told[changed.length > 0 ? 'digits' : 'nothing'] += 1;
  }
  expect(told.found).toBeGreaterThan(50);
});

test('S04 a bit that flips in a key puts it out of order: a look at the store ends all the same, and finds it', () => {
  const { db, wal, total } = leftovers();
  const place = folder();
  const source = lay(place, { db, wal });
  openedPrefixIn(source);
  const bytes = readFileSync(source);
  // As SQLite writes it: six bytes, the highest first.
  const key = Buffer.alloc(6);
  for (let bar = 0; bar < total - 1; bar++) {
    key.writeUIntBE(at(bar), 0, 6);
    const wrong = flipped(bytes, bytes.indexOf(key) * 8 + 8 * 2 + 5);
    const findings = found(lay(place, { db: wrong, wal: Buffer.alloc(0) }));
    expect([bar, Object.keys(countsIn(findings)).length > 0]).toEqual([bar, true]);
  }
});

test('S04 a bit that flips in a key: who reads page by page, or all at once, comes to an end, with bars in order or with an error', () => {
  const { db, wal, total } = leftovers();
  const place = folder();
  const source = lay(place, { db, wal });
  openedPrefixIn(source);
  const bytes = readFileSync(source);
  const series = { symbol: 'BTCUSDT', interval: '1m' } as const;
  const key = Buffer.alloc(6);
  const endings = new Set<string>();
  for (let bar = 0; bar < total - 1; bar++) {
    key.writeUIntBE(at(bar), 0, 6);
    const wrong = flipped(bytes, bytes.indexOf(key) * 8 + 8 * 2 + 5);
    const path = lay(place, { db: wrong, wal: Buffer.alloc(0) });
    const opens = [at(-1)];
    let ending = 'never';
    for (let pages = 0; pages < total && ending === 'never'; pages++)
      try {
        const page = readCandles(path, series, opens.at(-1)!, 5);
        opens.push(...page.map(({ openTime }) => openTime));
        if (page.length < 5) ending = 'read';
      } catch (error) {
        expect(error).toMatchObject({ name: 'StoreError', code: 'STORE_DAMAGED', retryable: false });
        expect((error as Error).message).toContain('BTCUSDT@1m');
        ending = 'damaged';
      }
    expect([bar, opens]).toEqual([bar, ascending(opens)]);
    endings.add(ending);
    // As it is exported, in one go.
    const exported: number[] = [];
    const snapshot = new Snapshot(path, series);
    try {
      for (const block of snapshot.blocks({ from: 0, to: Number.MAX_SAFE_INTEGER }))
        exported.push(...block.columns.openTime.subarray(0, block.rows));
    } catch (error) {
      expect(error).toMatchObject({ code: 'STORE_DAMAGED' });
    } finally {
      snapshot.close();
    }
    expect([bar, exported]).toEqual([bar, ascending(exported)]);
  }
  expect([...endings].sort()).toEqual(['damaged', 'read']);
});

describe('S05', () => {
  test('S05 power fails, and of what was not synced any parts are lost: a first part is there, the mark not ahead of it', () => {
    const { db, wal, walBefore, inFile, total } = leftovers();
    const random = seeded(6);
    const place = folder();
    const counts = new Set<number>();
    for (let round = 0; round < 100; round++) {
      const count = prefixIn(lay(place, { db, wal: inPart(walBefore, wal, random) }));
      expect(count).toBeGreaterThanOrEqual(inFile);
      expect(count).toBeLessThanOrEqual(total);
      counts.add(count);
    }
    expect(counts.size).toBeGreaterThan(2);
  });
});

describe('S02', () => {
  test('S02 killed while the WAL is emptied into the file, whichever parts of pages are there by then: all is there', () => {
    const { db, wal, total } = leftovers();
    const random = seeded(7);
    const place = folder();
    const newest = new Map(framesOf(wal).map(({ at, page }) => [page, at]));
    const size = Math.max(...newest.keys()) * PAGE;
    for (let round = 0; round < 100; round++) {
      const file = Buffer.alloc(Math.max(db.length, size));
      db.copy(file);
      for (const [page, at] of newest)
        if (random() < 0.5)
          wal.copy(
            file,
            (page - 1) * PAGE,
            at + FRAME_HEADER,
            at + FRAME_HEADER + Math.ceil(random() * 8) * SECTOR,
          );
      expect(prefixIn(lay(place, { db: file, wal }))).toBe(total);
    }
  });

  test('S02 killed at any moment while a store is brought up to date, written, emptied and closed: every bar is there', async () => {
    const path = newStore();
    let acknowledged = 0;
    for (let round = 0; round < 6; round++) {
      const child = spawn(
        process.execPath,
        [
          '--disable-warning=ExperimentalWarning',
          fileURLToPath(new URL('./turn.child.ts', import.meta.url)),
          path,
        ],
        { stdio: ['ignore', 'pipe', 'inherit'] },
      );
      onTestFinished(() => void child.kill('SIGKILL'));
      let text = '';
      child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      await until('its first bars', () => text.includes('\n'));
      await sleep(Math.random() * 25);
      const ended = once(child, 'close');
      child.kill('SIGKILL');
      await within('its end', ended);
      acknowledged = Number(text.split('\n').at(-2));
      expect(openedPrefixIn(path)).toBeGreaterThanOrEqual(acknowledged);
    }
    expect(acknowledged).toBeGreaterThan(1_000);
  });
});

test('S13 an older store whose bringing up to date was cut off between any two steps is like one where it was not', () => {
  const { db, wal } = leftovers();
  const place = folder();
  const steps = [REVISIONS_INDEX, ADD_BEGINNINGS, SET_BEGINNINGS];
  const schemas = steps.concat('all').map((_, done) => {
    const path = lay(place, { db, wal });
    openedPrefixIn(path);
    execute(path, 'DROP INDEX revisions_by_bar; ALTER TABLE watermarks DROP COLUMN from_open_time');
    for (const step of steps.slice(0, done)) execute(path, step);
    openedPrefixIn(path);
    return query(path, 'SELECT name, sql FROM sqlite_schema ORDER BY name');
  });
  for (const schema of schemas) expect(schema).toEqual(schemas[0]);
});

describe('a copy of a store', () => {
  test.each([
    ['S18 that was taken without its WAL', () => undefined],
    [
      'S05 of which the power took parts of the WAL',
      (path: string) => {
        const wal = readFileSync(`${path}-wal`);
        writeFileSync(`${path}-wal`, inPart(Buffer.alloc(0), wal, seeded(3)));
      },
    ],
  ])('%s opens, is shorter, and what it lacks is fetched', async (title, damage) => {
    const exchange = await startExchange();
    const store = newStore();
    const { collector, candles } = collectFrom(exchange, { store });
    await collector.startStreaming();
    await until('bars', () => candles.length > 6);
    // All that is in the WAL goes into the file.
    await collector.stop();
    await collector.startStreaming();
    await until('bars that are in the WAL alone', () => candles.length > 40);
    const copy = newStore();
    // By a process of its own: to close a file here would take the writer's locks away.
    execFileSync('cp', [store, copy]);
    if (title.startsWith('S05')) execFileSync('cp', [`${store}-wal`, `${copy}-wal`]);
    damage(copy);
    await collector.stop();
    const held = storedCandles(copy).length;
    expect(held).toBeGreaterThan(4);
    expect(held).toBeLessThan(candles.length);

    const next = collectFrom(exchange, { store: copy });
    const now = exchange.now();
    await next.collector.startStreaming();
    await until('bars of now', () =>
      BOTH.every((symbol) => next.candles.some((one) => one.symbol === symbol && one.openTime > now)),
    );
    expect(await next.collector.stop()).toMatchObject({ clean: true });
    expectWhole(storedCandles(copy), exchange, BOTH, 20);
    expect(storedCandles(copy)).toHaveLength(held + next.candles.length);
    expect(query(copy, 'SELECT * FROM gaps')).toEqual([]);
    expect(countsIn(found(copy))).toEqual({});
  });
});
