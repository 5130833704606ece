/** Where a drawing is to be put in its frame: rectangles and arithmetic, no document. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** A point `p` of the drawing stands at `p * k + x`, `p * k + y` of the frame, px. */
export interface Placement {
  readonly x: number;
  readonly y: number;
  readonly k: number;
}

/** Below this the words of a drawing can't be read without effort: the names of states are 11 px high. */
export const READABLE = 0.85;
/** So it is drawn where not all that is active can be in sight. */
const CLOSE = 0.95;
/** Between what is shown and the frame, px. */
const MARGIN = 12;
/** The same around what is active: its transitions begin and end there. */
const ROOM = 72;

/** The rectangle around all of them; undefined: there are none. */
export function around(boxes: readonly Box[]): Box | undefined {
  if (boxes.length === 0) return undefined;
  const x = Math.min(...boxes.map((box) => box.x));
  const y = Math.min(...boxes.map((box) => box.y));
  const right = Math.max(...boxes.map((box) => box.x + box.width));
  const bottom = Math.max(...boxes.map((box) => box.y + box.height));
  return { x, y, width: right - x, height: bottom - y };
}

/** How large all of a box can be drawn in a frame: never larger than it is. */
export function fitScale(box: Size, frame: Size, margin = MARGIN): number {
  const [width, height] = [frame.width - 2 * margin, frame.height - 2 * margin];
  return Math.max(Math.min(width / box.width, height / box.height, 1), 0.02);
}

/** All of it, in the middle. */
export const fitted = (box: Box, frame: Size): Placement => centred(box, frame, fitScale(box, frame));

/** Its upper end, as wide as the frame is: of a drawing that could not be read if all of it were in sight. */
export function topped(box: Box, frame: Size): Placement {
  const k = Math.max(Math.min((frame.width - 2 * MARGIN) / box.width, 1), READABLE);
  const { x } = centred(box, frame, k);
  // What is wider than the frame begins at its left end.
  return { k, x: Math.max(x, MARGIN - box.x * k), y: MARGIN - box.y * k };
}

/** The middle of a box in the middle of the frame. */
export function centred(box: Box, frame: Size, k: number): Placement {
  return {
    k,
    x: frame.width / 2 - (box.x + box.width / 2) * k,
    y: frame.height / 2 - (box.y + box.height / 2) * k,
  };
}

/**
 * What is active, in the middle, as large as there is room for, and readable. `more` is shown with it where that can be
 * read too. Of regions too far apart for that, the one where something was taken is in the middle, else the first.
 */
export function focused(active: readonly Box[], more: readonly Box[], frame: Size): Placement | undefined {
  const [first] = active;
  const whole = around(active);
  if (first === undefined || whole === undefined) return undefined;
  const all = around([whole, ...more]) ?? whole;
  for (const box of [all, whole])
    for (const margin of [ROOM, MARGIN])
      if (fitScale(box, frame, margin) >= READABLE) return centred(box, frame, fitScale(box, frame, margin));
  const taken = around(more);
  const nearest = taken === undefined ? first : active.toSorted((a, b) => gap(a, taken) - gap(b, taken))[0];
  return centred(nearest ?? first, frame, CLOSE);
}

/** Between the middles of two boxes. */
const gap = (a: Box, b: Box): number =>
  Math.hypot(a.x + a.width / 2 - b.x - b.width / 2, a.y + a.height / 2 - b.y - b.height / 2);

/** What of the drawing is in sight. */
export const inSight = ({ x, y, k }: Placement, frame: Size): Box => ({
  x: -x / k,
  y: -y / k,
  width: frame.width / k,
  height: frame.height / k,
});

/** Whether all of a box is within another. */
export function isWithin(box: Box, outer: Box): boolean {
  return (
    box.x >= outer.x &&
    box.y >= outer.y &&
    box.x + box.width <= outer.x + outer.width &&
    box.y + box.height <= outer.y + outer.height
  );
}

/** The boxes as they stand in the frame. */
export const placed = (boxes: readonly Box[], { x, y, k }: Placement): Box[] =>
  boxes.map((box) => ({ x: box.x * k + x, y: box.y * k + y, width: box.width * k, height: box.height * k }));

export const CORNERS = ['bottom-right', 'bottom-left', 'top-right', 'top-left'] as const;
export type Corner = (typeof CORNERS)[number];

/** The corner of the frame where a thing of that size covers least of the boxes; as it is, if that is no worse. */
export function freeCorner(size: Size, frame: Size, boxes: readonly Box[], now: Corner): Corner {
  const covered = (corner: Corner): number => {
    const x = corner.endsWith('right') ? frame.width - size.width : 0;
    const y = corner.startsWith('bottom') ? frame.height - size.height : 0;
    return boxes.reduce((sum, box) => sum + overlap(box, { x, y, ...size }), 0);
  };
  let [best, least] = [now, covered(now)];
  for (const corner of CORNERS) {
    const area = covered(corner);
    if (area < least) [best, least] = [corner, area];
  }
  return best;
}

function overlap(one: Box, other: Box): number {
  const width = Math.min(one.x + one.width, other.x + other.width) - Math.max(one.x, other.x);
  const height = Math.min(one.y + one.height, other.y + other.height) - Math.max(one.y, other.y);
  return Math.max(width, 0) * Math.max(height, 0);
}
