import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Clock } from '../../src/ports.ts';
import { processResources, resourceChecks } from '../../src/supervisor/resources.ts';
import { Supervisor } from '../../src/supervisor/supervisor.ts';
import { never, scene, watchUncaught } from './supervisor.scene.ts';

watchUncaught();

const brief = (checks: readonly { name: string; outcome: string; detail?: string }[]): string[] =>
  checks.map(({ name, outcome, detail }) => [name, outcome, detail].filter(Boolean).join(' '));

describe('what a process holds', () => {
  test.each([
    [[], [], 'sockets ok, timers ok, files ok, others ok'],
    [['Timeout'], ['Timeout'], 'sockets ok, timers ok, files ok, others ok'],
    [['Timeout'], [], 'sockets ok, timers ok, files ok, others ok'],
    [['Timeout'], ['Timeout', 'Timeout'], 'sockets ok, timers failed 1 × Timeout, files ok, others ok'],
    [
      [],
      ['TCPSocketWrap', 'TCPSocketWrap', 'TCPServerWrap'],
      'sockets failed 2 × TCPSocketWrap, 1 × TCPServerWrap, timers ok, files ok, others ok',
    ],
    [
      [],
      ['OpenFile', 'FSReqPromise'],
      'sockets ok, timers ok, files failed 1 × OpenFile, 1 × FSReqPromise, others ok',
    ],
    [[], ['ProcessWrap'], 'sockets ok, timers ok, files ok, others failed 1 × ProcessWrap'],
    [[], ['Immediate', 'TTYWrap', 'PipeWrap'], 'sockets ok, timers ok, files ok, others ok'],
  ])('before %j, then %j: %s', (before, now, told) => {
    expect(brief(resourceChecks(before, now, undefined)).join(', ')).toBe(told);
  });

  test('is not held against the process when a component was given up, but said', () => {
    expect(brief(resourceChecks([], ['Timeout'], 'a component was given up'))[1]).toBe(
      'timers skipped 1 × Timeout; a component was given up',
    );
  });
});

describe('the look at the process', () => {
  test('does not hold against it what a part holds that was given up', async () => {
    const held: string[] = [];
    const { supervisor, add, stopped } = scene({ resources: () => [...held] });
    add('a', [], {
      start: () => held.push('TCPSocketWrap'),
      stop: () => ({ parts: [{ name: 'feed0.a', outcome: 'forced', durationMs: 3 }] }),
    });
    await supervisor.start();
    expect(await stopped()).toMatchObject({
      clean: false,
      sound: true,
      checks: [{ name: 'sockets', outcome: 'skipped' }, {}, {}, {}],
    });
  });

  test('compares with what there was at the start, and not before', async () => {
    const held = ['TCPServerWrap'];
    const { supervisor, add, stopped } = scene({ resources: () => [...held] });
    add('a', [], { start: () => held.push('Timeout') });
    held.push('Timeout');
    await supervisor.start();
    const report = await stopped();
    expect(brief(report.checks)[1]).toBe('timers failed 1 × Timeout');
    expect(report).toMatchObject({ clean: false, sound: false });
  });

  test('is taken again and again, for what is closed is gone a little later', async () => {
    const { clock, supervisor, stopped } = scene({
      resources: () => (clock.now() >= 60 ? [] : looks++ === 0 ? [] : ['TCPSocketWrap']),
    });
    let looks = 0;
    await supervisor.start();
    const report = await stopped();
    expect(brief(report.checks)[0]).toBe('sockets ok');
    expect(report.durationMs).toBe(60);
    expect(looks).toBeGreaterThan(3);
  });

  test('proves nothing when there was no time for it: what is closed may be gone a turn later', async () => {
    let looks = 0;
    const { supervisor, stopped } = scene({ resources: () => (looks++ === 0 ? [] : ['TCPServerWrap']) });
    await supervisor.start();
    const report = await stopped(supervisor.stop({ timeoutMs: 1 }));
    expect(brief(report.checks)[0]).toBe(
      'sockets skipped 1 × TCPServerWrap; there was no time to wait for its end',
    );
    expect(report.sound).toBe(true);
  });

  test('proves nothing while another application runs in the process', async () => {
    const held: string[] = [];
    const one = scene({ resources: () => [...held] });
    const other = scene();
    other.add('server', [], { start: () => held.push('TCPServerWrap'), stop: () => held.pop() });
    await one.supervisor.start();
    await other.supervisor.start();
    const report = await one.stopped();
    expect(brief(report.checks)[0]).toBe(
      'sockets skipped 1 × TCPServerWrap; another application runs in this process',
    );
    expect(report).toMatchObject({ sound: true, clean: true });
    expect((await other.stopped()).sound).toBe(true);
  });

  test('does not take the timers of the stop for left behind, whoever made the clock', async () => {
    const clock: Clock = {
      now: () => performance.now(),
      wallNow: () => Date.now(),
      setTimeout: (callback, ms) => setTimeout(callback, ms),
      clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout),
    };
    const timers = (): string[] => processResources().filter((kind) => kind === 'Timeout');
    const supervisor = new Supervisor({ clock, resources: timers });
    await supervisor.start();
    expect(brief((await supervisor.stop()).checks)[1]).toBe('timers ok');
  });

  test('has patience for a second', async () => {
    let looks = 0;
    const { supervisor, stopped } = scene({ resources: () => (looks++ === 0 ? [] : ['Timeout']) });
    await supervisor.start();
    const report = await stopped();
    expect(brief(report.checks)[1]).toBe('timers failed 1 × Timeout');
    expect(report.durationMs).toBe(1_000);
  });

  test('tells what is left also when there was hardly any time for it', async () => {
    let looks = 0;
    const { supervisor, add, stopped } = scene({
      timeoutMs: 1_000,
      resources: () => (looks++ === 0 ? [] : ['Timeout']),
    });
    add('a', [], { stop: never });
    await supervisor.start();
    const report = await stopped();
    expect(brief(report.checks)[1]).toBe(
      'timers skipped 1 × Timeout; a component or a part of one was given up',
    );
    expect(report).toMatchObject({ sound: true, durationMs: expect.any(Number) });
    expect(report.durationMs).toBeLessThanOrEqual(1_000);
  });

  test.each([0, 1])('that throws is a check that failed, from look %i on', async (from) => {
    let looks = 0;
    const { supervisor, stopped } = scene({
      resources: () => {
        if (looks++ >= from) throw new Error('EPERM');
        return [];
      },
    });
    await supervisor.start();
    expect(brief((await stopped()).checks)).toEqual(['resources failed EPERM']);
  });
});

describe('a process', () => {
  /** By what was opened: what is said to be left when it was closed again, and when it was not. */
  let told: Record<string, { closed: string[]; left: string[] }> = {};
  beforeAll(async () => {
    const child = fileURLToPath(new URL('resources.child.ts', import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, [child]);
    told = JSON.parse(stdout);
  });

  test('that has closed all that it opened holds nothing, not even the timers of the stop', () => {
    expect(Object.keys(told).length).toBeGreaterThan(5);
    for (const [name, { closed }] of Object.entries(told)) expect([name, closed]).toEqual([name, []]);
  });

  test.each([
    ['timer', ['timers: 1 × Timeout']],
    ['sockets', [expect.stringMatching(/^sockets: (?=.*1 × TCPServerWrap).*2 × TCPSocketWrap/)]],
    ['child', ['others: 1 × ProcessWrap']],
    ['nothing', []],
  ])('that has left a %s open holds it', (name, left) => {
    expect(told[name]?.left).toEqual(left);
  });

  // Only Linux lists the files that are open.
  test.runIf(process.platform === 'linux').each([
    ['file', ['files: 1 × OpenFile']],
    ['file of a thread', [expect.stringContaining('files: 1 × OpenFile')]],
    ['log', []],
  ])('that has left a %s open holds it, a log excepted', (name, left) => {
    expect(told[name]?.left.slice(0, 1)).toEqual(left);
  });
});
