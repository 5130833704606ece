/** What makes a drawing hard to read: texts and lines that lie on one another. */
import type { Drawing, Point } from './layout.ts';
import type { Size } from './measure.ts';

type Rectangle = Point & Size;

/** What lies on what, in words; nothing in a drawing that can be read. */
export function overlaps({ boxes, labels, lines }: Drawing): string[] {
  const leaves = boxes
    .filter(({ state }) => state.children.length === 0)
    .map((box) => ({ ...box, name: `state ${box.state.id}` }));
  const texts = labels.map((label) => ({ ...label, name: `label ${label.edge.key}` }));
  const solid = [...leaves, ...texts];
  const pairs = solid.flatMap((one, index) =>
    solid.slice(index + 1).flatMap((other) => (meet(one, other) ? [`${one.name} and ${other.name}`] : [])),
  );
  const crossed = lines.flatMap(({ edges, points }) =>
    solid.flatMap((it) => {
      const isOwn = 'edge' in it && edges.includes(it.edge);
      return !isOwn && stretches(points).some((stretch) => meet(stretch, it))
        ? [`line ${edges[0]?.key ?? 'into an initial state'} and ${it.name}`]
        : [];
    }),
  );
  return [...pairs, ...crossed];
}

/** Touching is no overlap. */
const SLACK = 0.5;

const meet = (a: Rectangle, b: Rectangle): boolean =>
  a.x + a.width > b.x + SLACK &&
  b.x + b.width > a.x + SLACK &&
  a.y + a.height > b.y + SLACK &&
  b.y + b.height > a.y + SLACK;

/** The straight parts of a line, each as the room that it takes. */
function stretches(points: readonly Point[]): Rectangle[] {
  return points.slice(1).map((to, index) => {
    const from = points[index]!;
    return {
      x: Math.min(from.x, to.x) - 1,
      y: Math.min(from.y, to.y),
      width: Math.abs(to.x - from.x) + 2,
      height: Math.abs(to.y - from.y),
    };
  });
}
