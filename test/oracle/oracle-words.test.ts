/** The oracle can fail: each mutant of what is said and named turns exactly its invariant red. */
import { describe, expect, test } from 'vitest';
import type { Evidence, Told } from './evidence.ts';
import { INVARIANTS } from './judge.ts';
import { gapOf, isBar, middle, named, red, run, useRun, where, withStore } from './mutants.ts';

useRun();

describe('honest turns red, alone, for', () => {
  const withSamples = (change: (sample: Evidence['samples'][number]) => object): Evidence => ({
    ...run.evidence,
    samples: run.evidence.samples.map((sample) => ({ ...sample, ...change(sample) })),
  });
  const openedAt = (): number => run.evidence.wire!.find((event) => event.kind === 'opened')!.wallMs;
  const firstFrameAt = (): number => run.evidence.wire!.find((event) => event.kind === 'frame')!.wallMs;
  const early = (): Evidence['samples'][number] => ({
    ...run.evidence.samples.find((sample) => sample.series.get('BTCUSDT@1m') === 'live')!,
    state: 'connecting',
    isConnected: false,
    series: new Map(),
    wallMs: (openedAt() + firstFrameAt()) / 2,
  });

  test('streaming that is said when the socket is open and no frame has come', () => {
    const lie = { ...early(), state: 'streaming' };
    expect(red({ ...run.evidence, samples: [lie, ...run.evidence.samples] })).toEqual(['honest']);
  });

  test('a stream that is said to be live as early', () => {
    const lie = { ...early(), series: new Map([['BTCUSDT@1m', 'live']]) };
    expect(red({ ...run.evidence, samples: [lie, ...run.evidence.samples] })).toEqual(['honest']);
  });

  test('a stream that is said to be quiet when REST was never asked', () => {
    const lie = { ...early(), series: new Map([['BTCUSDT@1m', 'quiet']]) };
    const evidence = { ...run.evidence, samples: [lie, ...run.evidence.samples] };
    expect(red({ ...evidence, asked: [] })).toEqual(['honest']);
  });

  test('connected that is said although the exchange has no socket', () => {
    const before = withSamples((sample) =>
      sample.state === 'connecting' ? { state: 'streaming', isConnected: true } : {},
    );
    expect(red(before)).toEqual(['honest']);
    expect(red({ ...withSamples((sample) => ({ ...sample, sockets: 0 })), wire: undefined })).toEqual([
      'honest',
    ]);
  });

  test('the streams of a connection that ended, half a second later', () => {
    const ended = run.evidence.wire!.find((event) => event.kind === 'ended')!.wallMs;
    const wire = run.evidence.wire!.filter((event) => event.wallMs <= ended);
    expect(red({ ...run.evidence, wire })).toEqual(['honest']);
  });

  test('connected that is said and not streaming', () =>
    expect(red(withSamples((sample) => (sample.isConnected ? { state: 'connecting' } : {})))).toEqual([
      'honest',
    ]));
});

describe('named turns red, alone, for', () => {
  test('a hole that nobody named', () => {
    const bar = middle();
    const evidence = withStore(`DELETE FROM candles ${where(bar)}`);
    const told = evidence.told.filter((one) => !isBar(bar)(one));
    // The skip in the deliveries is an offence of its own.
    expect(red({ ...evidence, told })).toEqual(['order', 'named']);
    expect(red({ ...evidence, told: [], toldIsAll: false })).toEqual(['named']);
  });

  test('a tail that should have come', () => {
    const { endedAt, repairMs, timeScale } = run.evidence;
    const later = endedAt + (repairMs + 2_000) * timeScale;
    expect(red({ ...run.evidence, endedAt: later, readAt: later })).toEqual(['named']);
    expect(red({ ...run.evidence, endedAt: later, readAt: later, faultsOverAt: later })).toEqual([]);
  });

  test('history that was asked for and is not there', () =>
    expect(
      red({ ...run.evidence, backfillFrom: run.evidence.store!.candles[0]!.openTime - 120_000 }),
    ).toEqual(['named']));

  test('a bar that the exchange lacks too, when it is not said', () => {
    const evidence = named();
    expect(red({ ...evidence, store: { ...evidence.store!, gaps: [] } })).toEqual(['named']);
  });

  test('a gap without a reason', () => expect(red(named("''"))).toEqual(['named']));

  test('a gap over a bar that the exchange has', () =>
    expect(red({ ...named(), truth: run.evidence.truth })).toEqual(['named']));

  test('a gap over a bar that is stored', () => {
    const bar = middle();
    const gap = `INSERT INTO gaps VALUES ('${bar.symbol}', '1m', ${bar.openTime}, ${bar.openTime}, 'x', 1, NULL)`;
    expect(red({ ...withStore(gap), toldIsAll: false })).toEqual(['named']);
  });

  test('a gap that is said to be filled, and its bar is not there', () => {
    const evidence = named();
    const gaps = evidence.store!.gaps.map((gap) => ({ ...gap, filledAt: gap.detectedAt + 1 }));
    const told: Told[] = [
      ...evidence.told,
      { kind: 'gap', gap: { ...gapOf(middle()), status: 'filled' }, at: evidence.endedAt },
    ];
    expect(red({ ...evidence, told, store: { ...evidence.store!, gaps } })).toEqual(['named']);
  });

  test('a gap that is stored and was never announced', () => {
    const evidence = named();
    const told = evidence.told.filter((one) => one.kind !== 'gap');
    expect(red({ ...evidence, told })).toEqual(['order', 'named']);
  });
});

test('a gap behind the end of a symbol turns named red', () => {
  const evidence = named();
  const { truth } = evidence;
  const endOf = (): number => middle().openTime - 1;
  expect(INVARIANTS.named({ ...evidence, truth: { ...truth, endOf } })).toMatchObject([
    { name: 'gap behind the end of its symbol' },
  ]);
});

describe('clean turns red, alone, for', () => {
  test('a socket that is left', () => expect(red({ ...run.evidence, socketsLeft: 1 })).toEqual(['clean']));
});
