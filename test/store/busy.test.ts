import { once } from 'node:events';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, onTestFinished, test } from 'vitest';
import { patiently } from '../../src/store/busy.ts';
import { within } from '../support/wait.ts';
import { query, rows, useFolder } from './stores.ts';

const { here, writer, workers } = useFolder();
const busy = Object.assign(new Error('database is locked'), { errcode: 5 });

describe('a store that another program holds', () => {
  test('is tried again until it is free, or says that it was done', () => {
    let tries = 0;
    const work = (): number => {
      tries++;
      if (tries < 3) throw busy;
      return tries;
    };
    expect(patiently(work)).toBe(3);
    expect(patiently(work, (result) => result > 5)).toBe(6);
  });

  test('is not tried again when something else is wrong', () => {
    let tries = 0;
    const broken = Object.assign(new Error('disk I/O error'), { errcode: 10 });
    expect(() =>
      patiently(() => {
        tries++;
        throw broken;
      }),
    ).toThrow(broken);
    expect(tries).toBe(1);
  });

  test('does not hold up the end of the thread that waits for it', async () => {
    const one = writer();
    await one.open();
    const other = new DatabaseSync(here.path, { timeout: 1_000 });
    onTestFinished(() => other.close());
    other.exec('BEGIN IMMEDIATE');
    const commit = one.commit(rows(0, 3), 1);
    commit.catch(() => {});
    // It answers nothing while it waits; so that it waits is known by its not having answered.
    expect(await within('a pause', Promise.race([commit, pause(100)]))).toBe('no answer');
    const ended = once(workers[0]!, 'exit');
    const since = performance.now();
    one.terminate();
    await ended;
    expect(performance.now() - since).toBeLessThan(500);
    other.exec('ROLLBACK');
    expect(query(here.path, 'SELECT count(*) AS n FROM candles')).toEqual([{ n: 0 }]);
  });
});

const pause = (ms: number): Promise<string> =>
  new Promise((resolve) => setTimeout(() => resolve('no answer'), ms));
