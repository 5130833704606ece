/** A soak is a function of its seed, and everything that can befall a collector can be drawn. */
import { describe, expect, test } from 'vitest';
import { isKnown, KINDS, type Setting } from '../storm/drawing.ts';
import { DEATHS } from './deaths.ts';
import { drawLives, drawWeather, HONEST, type Life } from './drawing.ts';

const SETTING: Setting = { symbols: ['BTCUSDT', 'ETHUSDT'], intervals: ['1m', '5m'] };
const HOUR_MS = 3_600_000;
const lives = (seed: number, count: number): Life[] => drawLives(seed).take(count).toArray();

describe('a soak', () => {
  test('is the same for the same seed, and another for another', () => {
    expect(drawWeather(7, HOUR_MS, SETTING)).toEqual(drawWeather(7, HOUR_MS, SETTING));
    expect(drawWeather(7, HOUR_MS, SETTING)).not.toEqual(drawWeather(8, HOUR_MS, SETTING));
    expect(lives(7, 60)).toEqual(lives(7, 60));
    expect(lives(7, 60)).not.toEqual(lives(8, 60));
  });

  test('a longer one begins as a shorter one does', () => {
    const short = drawWeather(3, HOUR_MS / 6, SETTING);
    expect(drawWeather(3, HOUR_MS, SETTING).slice(0, short.length)).toEqual(short);
  });

  test('can have every fault of the network, and every one of the exchange that tells no lies', () => {
    const strikes = drawWeather(1, 10 * HOUR_MS, SETTING);
    const names = (target: string): string[] =>
      [...new Set(strikes.filter((strike) => strike.target === target).map(({ name }) => name))].sort();
    expect(names('network')).toEqual(
      ['blackhole', 'clog', 'cut', 'dribble', 'fin', 'refuse', 'reset', 'split', 'throttle'].sort(),
    );
    expect(names('exchange')).toEqual([...HONEST].sort());
    expect([...HONEST].filter((name) => !KINDS.some((kind) => kind.name === name))).toEqual([]);
    for (const strike of strikes)
      if (strike.target === 'exchange') expect(isKnown(strike.fault as never), strike.name).toBe(true);
  });

  test('has every kind of death in each round of lives', () => {
    const round = Object.values(DEATHS).reduce((sum, { weight }) => sum + weight, 0);
    for (const seed of [1, 2, 3])
      expect(new Set(lives(seed, round).map(({ death }) => death))).toEqual(new Set(Object.keys(DEATHS)));
  });
});
