import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { byShard, type Placement, place, type Shard, withPlaced } from '../../../machines/model/shards.ts';

const streams = (...ids: string[]) => ids.map((id) => ({ id }));
const numbered = (count: number, first = 0) =>
  streams(...Array.from({ length: count }, (_, index) => `s${first + index}`));
const shard = (id: string, ...ids: string[]): Shard => ({ id, streams: streams(...ids) });
const brief = (placements: readonly Placement<{ id: string }>[]): string =>
  placements
    .map(({ id, isNew, streams }) => `${id}${isNew ? '!' : ''}:${streams.map((one) => one.id).join('')}`)
    .join(' ');
const sizes = (placements: readonly Placement<{ id: string }>[]): number[] =>
  placements.map((one) => one.streams.length);

describe('placing streams on sockets', () => {
  test('none is filled beyond the limit', () => {
    expect(sizes(place(numbered(450), [], 200))).toEqual([200, 200, 50]);
    expect(sizes(place(numbered(400), [], 200))).toEqual([200, 200]);
    expect(sizes(place(numbered(3), [], 1))).toEqual([1, 1, 1]);
    expect(place([], [], 200)).toEqual([]);
  });

  test('the one with most room gets the next, and a new one is made when all are full', () => {
    const shards = [shard('feed0', 'a', 'b'), shard('feed1', 'c')];
    expect(brief(place(streams('d', 'e'), shards, 3))).toBe('feed1:d feed0:e');
    expect(brief(place(streams('d', 'e', 'f', 'g'), shards, 3))).toBe('feed1:df feed0:e feed2!:g');
  });

  test('a stream that was there before goes back to where it was, full or not', () => {
    const shards = [shard('feed0', 'a', 'b'), shard('feed1')];
    expect(brief(place(streams('b'), shards, 2))).toBe('feed0:b');
  });

  test('whatever comes and goes, no socket carries more, no stream has two homes, no id is used twice', () => {
    const names = fc.integer({ min: 0, max: 60 }).map((number) => `s${number}`);
    fc.assert(
      fc.property(
        fc.array(fc.uniqueArray(names, { maxLength: 20 }), { maxLength: 10 }),
        fc.integer({ min: 1, max: 7 }),
        (rounds, perSocket) => {
          let shards: Shard[] = [];
          for (const round of rounds) {
            const placements = place(streams(...round), shards, perSocket);
            expect(placements.flatMap((one) => one.streams.map(({ id }) => id)).sort()).toEqual(
              [...round].sort(),
            );
            const made = placements.filter((one) => one.isNew);
            shards = [...withPlaced(shards, placements), ...made];
          }
          const homes = shards.flatMap((one) => one.streams.map(({ id }) => id));
          expect(new Set(homes).size).toBe(homes.length);
          expect(new Set(shards.map(({ id }) => id)).size).toBe(shards.length);
          expect(Math.max(0, ...shards.map((one) => one.streams.length))).toBeLessThanOrEqual(perSocket);
          expect(shards.length).toBeLessThanOrEqual(Math.ceil(homes.length / perSocket));
        },
      ),
    );
  });
});

test('streams are found where they are; those that nobody has are nowhere', () => {
  const shards = [shard('feed0', 'a', 'b'), shard('feed1', 'c'), shard('feed2', 'd')];
  expect(byShard(['c', 'b', 'a', 'x'], shards)).toEqual([
    { id: 'feed0', ids: ['a', 'b'] },
    { id: 'feed1', ids: ['c'] },
  ]);
});
