import { describe, expect, test } from 'vitest';
import { at, BTC } from '../../pipeline/candles.ts';
import { rows } from '../../store/stores.ts';
import { DISK_FULL, MemoryDisk } from './disk.ts';
import { Life } from './life.ts';
import { WorldClock } from './world-clock.ts';

const PATH = 'store.db';

function makeWorld() {
  const world = new WorldClock(at(0));
  const disk = new MemoryDisk(world, () => 0.5);
  /** A process with a writer. */
  const begin = (origin = 'simulator') => {
    const life = new Life(world);
    const ports = disk.portsFor(life);
    return { life, ports, writer: ports.writer({ path: PATH, origin, clock: life }) };
  };
  /** Waits for it in the world's time; how it ended, and after how many ms. */
  const endOf = async <Result>(promise: Promise<Result>, withinMs = 1_000) => {
    const begun = world.now();
    let end: { ok: true; value: Result } | { ok: false; error: unknown } | undefined;
    promise.then(
      (value) => (end = { ok: true, value }),
      (error) => (end = { ok: false, error }),
    );
    await world.run(begun + withinMs, () => end === undefined);
    return { end, tookMs: world.now() - begun };
  };
  const done = async <Result>(promise: Promise<Result>): Promise<Result> => {
    const { end } = await endOf(promise);
    if (end?.ok) return end.value;
    throw end?.error ?? new Error('never answered');
  };
  const numbers = () =>
    disk
      .database(PATH)
      .prepare('SELECT open_time AS time FROM candles ORDER BY 1')
      .all()
      .map(({ time }) => (Number(time) - at(0)) / 60_000);
  return { world, disk, begin, endOf, done, numbers };
}

describe('a simulated disk', () => {
  test('keeps a store when the life of its writer is over', async () => {
    const { disk, begin, done, numbers } = makeWorld();
    const first = begin();
    expect(await done(first.ports.inspect(PATH))).toEqual({ exists: false });
    await done(first.writer.open());
    await done(first.writer.commit(rows(0, 2), at(2)));
    first.life.kill();
    const second = begin();
    expect((await done(second.writer.open())).watermarks).toMatchObject([{ ...BTC, openTime: at(1) }]);
    await done(second.writer.commit(rows(2, 3), at(3)));
    await done(second.writer.close(at(3)));
    expect(numbers()).toEqual([0, 1, 2]);
    expect(second.ports.read(PATH, BTC, at(0), 10).map(({ openTime }) => openTime)).toEqual([at(1), at(2)]);
    expect(await done(second.ports.inspect(PATH))).toMatchObject({ exists: true, exchangeTime: at(3) });
    await expect(done(second.ports.check(PATH, 'testnet'))).rejects.toMatchObject({ code: 'STORE_ORIGIN' });
    disk.close();
  });

  test('takes as long for a commit as it is told', async () => {
    const { disk, begin, endOf, done } = makeWorld();
    const { writer } = begin();
    await done(writer.open());
    disk.commitMs = 2_000;
    const { tookMs } = await endOf(writer.commit(rows(0, 1), at(1)), 10_000);
    expect(tookMs).toBe(2_000);
    disk.close();
  });

  test('that is full writes nothing, and all of it when there is room again', async () => {
    const { disk, begin, done, numbers } = makeWorld();
    const { writer } = begin();
    await done(writer.open());
    disk.failNext(2);
    for (let tries = 0; tries < 2; tries++)
      await expect(done(writer.commit(rows(0, 2), at(2)))).rejects.toMatchObject({
        code: 'STORE_WRITE',
        retryable: true,
        message: DISK_FULL.message,
      });
    expect(numbers()).toEqual([]);
    await done(writer.commit(rows(0, 2), at(2)));
    expect(numbers()).toEqual([0, 1]);
    disk.close();
  });

  test('that loses an answer has written what is said to have failed', async () => {
    const { disk, begin, done, numbers } = makeWorld();
    const { writer } = begin();
    await done(writer.open());
    disk.loseNext(1);
    await expect(done(writer.commit(rows(0, 2), at(2)))).rejects.toMatchObject({ code: 'STORE_WRITE' });
    expect(numbers()).toEqual([0, 1]);
    await done(writer.commit(rows(0, 2), at(2)));
    expect(numbers()).toEqual([0, 1]);
    disk.close();
  });

  test('goes back in time when the power fails, whole, and may do so again', async () => {
    const { world, disk, begin, done, numbers } = makeWorld();
    let to = 0;
    for (const kept of [
      [0, 1],
      [0, 1, 2, 3],
    ]) {
      const { life, writer } = begin();
      await done(writer.open());
      await done(writer.commit(rows(to, to + 2), at(to + 2)));
      await world.run(world.now() + 10_000);
      await done(writer.commit(rows(to + 2, to + 4), at(to + 4)));
      expect(() => disk.powerLoss(5_000)).toThrow('end that life first');
      life.kill();
      disk.powerLoss(5_000);
      expect(numbers()).toEqual(kept);
      to += 2;
    }
    const { ports, writer } = begin();
    expect(await done(ports.inspect(PATH))).toMatchObject({ exists: true, exchangeTime: at(4) });
    expect((await done(writer.open())).watermarks).toMatchObject([{ openTime: at(3) }]);
    expect(() => disk.powerLoss(3_600_000)).toThrow(RangeError);
    disk.close();
  });

  test('says nothing to a life that is over, whose commit may be written or not', async () => {
    for (const [livedMs, written] of [
      [40, []],
      [60, [0]],
    ] as const) {
      const { world, disk, begin, endOf, done, numbers } = makeWorld();
      const { life, writer } = begin();
      await done(writer.open());
      disk.commitMs = 100;
      world.setTimeout(() => life.kill(), livedMs);
      expect(await endOf(writer.commit(rows(0, 1), at(1)))).toMatchObject({ end: undefined });
      expect(numbers()).toEqual(written);
      disk.close();
    }
  });

  test('refuses a second writer while the first one lives and has not closed it', async () => {
    const { disk, begin, done } = makeWorld();
    const [first, second, third] = [begin(), begin(), begin()];
    await done(first.writer.open());
    const locked = { code: 'STORE_LOCKED' };
    await expect(done(second.ports.check(PATH, 'simulator'))).rejects.toMatchObject(locked);
    await expect(done(second.writer.open())).rejects.toMatchObject(locked);
    await done(first.writer.commit(rows(0, 1), at(1)));
    await done(first.writer.close(at(1)));
    await done(second.writer.open());
    await done(second.writer.terminate());
    await done(third.writer.open());
    disk.close();
  });

  test('whose writer fails lets the next one have the store', async () => {
    const { disk, begin, endOf, done, numbers } = makeWorld();
    const { life, writer } = begin();
    await done(writer.open());
    disk.commitMs = 100;
    const lost = endOf(writer.commit(rows(0, 1), at(1)));
    disk.crashWriters(life);
    expect((await lost).end).toMatchObject({
      ok: false,
      error: { code: 'STORE_WRITER_GONE', retryable: true },
    });
    await done(writer.open());
    await done(writer.commit(rows(0, 1), at(1)));
    expect(numbers()).toEqual([0]);
    disk.close();
  });

  test('keeps the bans that are written beside a store until they are over', () => {
    const { disk, begin } = makeWorld();
    const { bans } = begin().ports;
    const ban = {
      origin: 'https://x',
      until: at(2),
      toldMs: 120_000,
      kind: 'banned',
      reason: 'asked',
    } as const;
    bans.write(PATH, ban);
    expect(begin().ports.bans.read(PATH, 'https://x', at(1))).toEqual({ ...ban, leftMs: 60_000 });
    expect(bans.read(PATH, 'https://y', at(1))).toBeUndefined();
    expect(bans.read(PATH, 'https://x', at(2))).toBeUndefined();
    expect(bans.read(PATH, 'https://x', at(1))).toBeUndefined();
    disk.close();
  });
});
