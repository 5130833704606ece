/** The same seed is the same storm, and every row of the table can be drawn. */
import { describe, expect, test } from 'vitest';
import { FAULT_KINDS } from '../../src/simulator/index.ts';
import { drawStorm, isKnown, KINDS, type Setting } from './drawing.ts';

const SETTING: Setting = { symbols: ['BTCUSDT', 'ETHUSDT'], intervals: ['1m', '5m'] };

describe('a storm', () => {
  test('is the same for the same seed, and another for another', () => {
    expect(drawStorm(7, 60, SETTING)).toEqual(drawStorm(7, 60, SETTING));
    expect(drawStorm(7, 60, SETTING)).not.toEqual(drawStorm(8, 60, SETTING));
  });

  test('has one fault in each second, all of which the exchange or the process knows', () => {
    const storm = drawStorm(3, 60, SETTING);
    expect(storm.map(({ atMs }) => Math.floor(atMs / 1_000))).toEqual(
      Array.from({ length: 60 }, (_, n) => n),
    );
    for (const { target, fault } of storm)
      expect(target === 'process' || isKnown(fault), fault.kind).toBe(true);
  });

  test('can have every kind of fault that the exchange offers', () => {
    const drawn = new Set(
      Array.from({ length: 20 }, (_, seed) => drawStorm(seed, 600, SETTING))
        .flat()
        .map(({ fault }) => fault.kind),
    );
    expect(FAULT_KINDS.filter((kind) => !drawn.has(kind) && !LEFT_OUT.has(kind))).toEqual([]);
    expect(new Set(KINDS.map(({ name }) => name)).size).toBe(KINDS.length);
  });
});

/** `weight` is another process on the same address: rows H08 and the rate limits judge it. */
const LEFT_OUT: ReadonlySet<string> = new Set(['weight']);
