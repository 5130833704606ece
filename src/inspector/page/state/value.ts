/** State values as text: whole for titles and searches, brief for a line of a list. */
import type { StateValue } from '../../protocol.ts';

const regionsOf = (value: StateValue): [string, StateValue][] =>
  typeof value === 'string' ? [[value, {}]] : Object.entries(value);

/** All of it: `attached.open.live(heartbeat.listening ∥ data.flowing)`. */
export function stateText(value: StateValue): string {
  return regionsOf(value)
    .map(([name, inner]) => {
      const text = stateText(inner);
      if (text === '') return name;
      return regionsOf(inner).length > 1 ? `${name}(${text})` : `${name}.${text}`;
    })
    .join(' ∥ ');
}

/** What tells it apart: `live(listening ∥ flowing)`, `live ∥ whole`, `open.subscribing`. */
export function stateBrief(value: StateValue): string {
  const trunk: string[] = [];
  let regions = regionsOf(value);
  while (regions.length === 1 && regions[0] !== undefined) {
    trunk.push(regions[0][0]);
    regions = regionsOf(regions[0][1]);
  }
  if (regions.length === 0) return trunk.slice(-2).join('.');
  const text = regions.map(([name, inner]) => stateBrief(inner) || name).join(' ∥ ');
  return trunk.length > 1 ? `${trunk.at(-1)}(${text})` : text;
}

/** The names on the way to each state that is active at the deepest level. */
export function statePaths(value: StateValue): string[][] {
  return regionsOf(value).flatMap(([name, inner]) => {
    const below = statePaths(inner);
    return below.length === 0 ? [[name]] : below.map((path) => [name, ...path]);
  });
}
