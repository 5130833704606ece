import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Held } from '../../machines/model/hold.ts';
import { Quota, quotaOf } from '../../src/actors/quota.ts';
import { rememberBans } from '../../src/actors/remember-bans.ts';
import { banFiles } from '../../src/store/ban.ts';
import { newStore } from '../support/collector.ts';
import { FakeClock } from '../transport/fake-clock.ts';
import { fakeLogger } from './harness.ts';

const banned = (forMs: number) => ({ kind: 'banned', forMs, reason: 'HTTP 418' }) as const;
const limited = (forMs: number) => ({ kind: 'limited', forMs, reason: 'HTTP 429' }) as const;
const forbidden = (forMs = 0) => ({ kind: 'forbidden', forMs, reason: 'HTTP 403' }) as const;
const rig = () => {
  const clock = new FakeClock();
  return { clock, quota: new Quota(clock) };
};

describe('the quota of a process', () => {
  test('L09 is one for each exchange and clock, whatever the path', () => {
    const [clock, other] = [new FakeClock(), new FakeClock()];
    const quota = quotaOf(clock, 'https://fapi.binance.com');
    expect(quotaOf(clock, 'https://fapi.binance.com/')).toBe(quota);
    expect(quotaOf(clock, 'https://demo-fapi.binance.com')).not.toBe(quota);
    expect(quotaOf(other, 'https://fapi.binance.com')).not.toBe(quota);
  });

  test('keeps those that are in use, however many others there are', () => {
    const clock = new FakeClock();
    const quota = quotaOf(clock, 'https://fapi.binance.com');
    for (let port = 1_000; port < 1_500; port++) {
      quotaOf(clock, `http://127.0.0.1:${port}`);
      expect(quotaOf(clock, 'https://fapi.binance.com')).toBe(quota);
    }
  });
});

describe('pauses', () => {
  test('last as long as the longest of them; the gravest gives the name', async () => {
    const { clock, quota } = rig();
    expect([quota.held(), quota.dialWaitMs()]).toEqual([undefined, 0]);
    quota.impose(limited(10_000));
    quota.impose(banned(4_000));
    quota.impose(limited(2_000));
    expect(quota.held()).toEqual({ kind: 'banned', forMs: 10_000, reason: 'HTTP 418' });
    expect(quota.dialWaitMs()).toBe(4_000);
    await clock.advance(4_000);
    expect(quota.held()).toEqual({ kind: 'limited', forMs: 6_000, reason: 'HTTP 429' });
    expect(quota.dialWaitMs()).toBe(0);
    await clock.advance(6_000);
    expect(quota.held()).toBeUndefined();
  });

  test('by a firewall are a minute at least and grow to ten, until the exchange serves us', async () => {
    const { clock, quota } = rig();
    const pauses: number[] = [];
    const refuse = async (): Promise<void> => {
      // Four that were under way together are one refusal.
      for (let n = 0; n < 4; n++) quota.impose(forbidden());
      const { forMs } = quota.held() as Held;
      pauses.push(forMs / 60_000);
      await clock.advance(forMs);
    };
    for (let n = 0; n < 6; n++) await refuse();
    quota.served();
    await refuse();
    expect(pauses).toEqual([1, 2, 4, 8, 10, 10, 1]);
    quota.impose(forbidden(3_600_000));
    expect(quota.held()?.forMs).toBe(3_600_000);
  });

  test('are followed by one request, and by the others when that is served', async () => {
    const { clock, quota } = rig();
    const [probe, next] = [{}, {}];
    quota.begin(next, 1);
    quota.end(next, { date: clock.wallNow(), used: 1 });
    quota.impose(limited(1_000));
    await clock.advance(1_000);
    expect(quota.waitMs(1, 'live')).toBe(0);
    quota.begin(probe, 1);
    expect(quota.waitMs(1, 'live')).toBeGreaterThan(0);
    quota.served();
    expect(quota.waitMs(1, 'live')).toBe(0);
  });
});

describe('pauses of an earlier run', () => {
  const restUrl = 'https://fapi.binance.com';
  const remembering = (path: string, clock = new FakeClock()) => {
    const quota = new Quota(clock);
    const { logger, lines } = fakeLogger();
    return {
      clock,
      quota,
      lines,
      forget: rememberBans({ quota, clock, logger, bans: banFiles, path, restUrl }),
    };
  };

  test('are obeyed by the next, and forgotten when the exchange serves us again', async () => {
    const path = newStore();
    const first = remembering(path);
    first.quota.impose(banned(120_000));
    await first.clock.advance(20_000);
    const second = remembering(path, first.clock);
    expect(second.quota.held()).toMatchObject({
      kind: 'banned',
      forMs: 100_000,
      reason: expect.stringContaining('earlier'),
    });
    expect(second.quota.dialWaitMs()).toBe(100_000);
    second.quota.served();
    expect(existsSync(`${path}.ban`)).toBe(true);
    await first.clock.advance(100_000);
    second.quota.served();
    expect(existsSync(`${path}.ban`)).toBe(false);
  });

  test('are written for every way in which they come, but not those of a firewall', () => {
    const path = newStore();
    const { quota, forget } = remembering(path);
    quota.impose(forbidden());
    expect(existsSync(`${path}.ban`)).toBe(false);
    quota.ban(60_000, 'the handshake was answered HTTP 418');
    expect(readFileSync(`${path}.ban`, 'utf8')).toContain('handshake');
    forget();
    quota.ban(600_000, 'later');
    expect(readFileSync(`${path}.ban`, 'utf8')).not.toContain('later');
  });

  test('that can not be read, or written, are said to be, and stop nothing', () => {
    const path = newStore();
    writeFileSync(`${path}.ban`, 'garbage');
    const { quota, lines } = remembering(path);
    expect(quota.held()).toBeUndefined();
    expect(lines).toMatchObject([{ level: 'warn', message: expect.stringContaining('damaged') }]);
    const nowhere = remembering('/no/such/folder/a.db');
    nowhere.quota.impose(banned(1_000));
    expect(nowhere.quota.held()?.kind).toBe('banned');
    expect(nowhere.lines).toMatchObject([{ level: 'warn', message: expect.stringContaining('written') }]);
  });
});
