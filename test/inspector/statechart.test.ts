/** What the statechart panel of the page makes of a state's value, and where it puts a drawing in its frame. */
import { describe, expect, test } from 'vitest';
import { getInitialSnapshot } from 'xstate';
import * as machines from '../../machines/index.ts';
import { activeStates, innermost } from '../../src/inspector/page/statechart/active.ts';
import {
  around,
  fitScale,
  fitted,
  focused,
  freeCorner,
  inSight,
  isWithin,
  placed,
  READABLE,
  topped,
} from '../../src/inspector/page/statechart/frame.ts';

describe('active states', () => {
  test('are the machine, the state and all that hold it', () => {
    expect([...activeStates('m', { a: { b: 'c' } })]).toEqual(['m', 'm.a', 'm.a.b', 'm.a.b.c']);
    expect([...activeStates('m', 'a')]).toEqual(['m', 'm.a']);
  });

  test('are all regions, also those that hold nothing more', () => {
    const ids = activeStates('m', {
      live: { heartbeat: 'listening', data: { doubting: 'asking' }, idle: {} },
    });
    expect(ids).toContain('m.live.heartbeat.listening');
    expect(ids).toContain('m.live.data.doubting');
    expect(ids).toContain('m.live.idle');
    expect(innermost(ids).sort()).toEqual([
      'm.live.data.doubting.asking',
      'm.live.heartbeat.listening',
      'm.live.idle',
    ]);
  });

  test('are none where nobody is', () => {
    expect(activeStates('m', undefined).size).toBe(0);
  });

  test('a name that begins as another does not hold it', () => {
    expect(innermost(new Set(['m.open', 'm.opening']))).toEqual(['m.open', 'm.opening']);
  });

  test('have the ids that the machine gives its states', () => {
    const { connectionMachine } = machines;
    const snapshot = getInitialSnapshot(connectionMachine, { now: () => 0 } as never);
    const ids = snapshot._nodes.map((node) => node.id).sort();
    expect([...activeStates('connection', snapshot.value as never)].sort()).toEqual(ids);
  });
});

describe('a drawing in its frame', () => {
  const frame = { width: 640, height: 320 };
  const drawing = { x: -8, y: -8, width: 1_000, height: 2_000 };

  test('is all in sight and in the middle when it is fitted', () => {
    const placement = fitted(drawing, frame);
    expect(isWithin(drawing, inSight(placement, frame))).toBe(true);
    const [box] = placed([drawing], placement);
    expect(box!.x + box!.width / 2).toBeCloseTo(320);
    expect(box!.y + box!.height / 2).toBeCloseTo(160);
  });

  test('is never drawn larger than it is', () => {
    expect(fitScale({ width: 10, height: 10 }, frame)).toBe(1);
    expect(fitted({ x: 0, y: 0, width: 10, height: 10 }, frame)).toEqual({ k: 1, x: 315, y: 155 });
  });

  test('begins at its upper left end when it is larger than can be read', () => {
    const { k, x, y } = topped(drawing, frame);
    expect(k).toBe(READABLE);
    expect([x + drawing.x * k, y + drawing.y * k]).toEqual([12, 12]);
  });

  test('shows what is active legibly, in the middle', () => {
    const small = focused([{ x: 500, y: 500, width: 100, height: 40 }], [], frame);
    expect(small!.k).toBe(1);
    expect([550 * small!.k + small!.x, 520 * small!.k + small!.y]).toEqual([320, 160]);
    expect(focused([], [], frame)).toBeUndefined();
  });

  test('is never smaller than can be read at ease: of regions too far apart, the one of the transition', () => {
    const regions = [0, 2_000].map((x) => ({ x, y: 0, width: 100, height: 40 }));
    const middle = ({ x, k }: { x: number; k: number }): number => (frame.width / 2 - x) / k;
    const [first, taken] = [[], [{ x: 1_700, y: 0, width: 80, height: 20 }]].map((more) =>
      focused(regions, more, frame),
    );
    expect([middle(first!), middle(taken!)]).toEqual([50, 2_050]);
    expect(first!.k).toBeGreaterThan(READABLE);
    const apart = focused([regions[0]!, { ...regions[0]!, x: 600 }], [], frame);
    expect(apart!.k).toBeCloseTo(616 / 700);
  });

  test('shows what was taken beside what is active, unless that is too far away', () => {
    const active = { x: 500, y: 500, width: 100, height: 40 };
    const [near, far] = [
      { x: 300, y: 500, width: 80, height: 20 },
      { x: 3_000, y: 0, width: 80, height: 20 },
    ];
    const both = focused([active], [near], frame)!;
    expect(placed([active, near], both).every((box) => isWithin(box, { x: 0, y: 0, ...frame }))).toBe(true);
    expect(focused([active], [far], frame)).toEqual(focused([active], [], frame));
  });

  test('a box around several holds each', () => {
    const boxes = [
      { x: 0, y: 10, width: 5, height: 5 },
      { x: 20, y: 0, width: 5, height: 5 },
    ];
    expect(around(boxes)).toEqual({ x: 0, y: 0, width: 25, height: 15 });
    expect(around([])).toBeUndefined();
  });

  test('the overview goes where it covers nothing of importance, and else stays', () => {
    const size = { width: 100, height: 100 };
    const low = { x: 600, y: 300, width: 40, height: 20 };
    expect(freeCorner(size, frame, [], 'top-left')).toBe('top-left');
    expect(freeCorner(size, frame, [low], 'bottom-right')).toBe('bottom-left');
    expect(freeCorner(size, frame, [{ x: 0, y: 0, ...frame }], 'top-right')).toBe('top-right');
  });
});
