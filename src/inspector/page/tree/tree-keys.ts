/** What a key does in the tree. */
import type { Line } from './flatten.ts';

export type Action =
  | { readonly do: 'go'; readonly id: string; readonly index: number }
  | { readonly do: 'open'; readonly id: string; readonly isOpen: boolean }
  | { readonly do: 'select'; readonly id: string };

/** `from`: the line that the keyboard is at, −1: none yet. `page`: lines in view. */
export function act(key: string, lines: readonly Line[], from: number, page: number): Action | undefined {
  const go = (index: number): Action | undefined => {
    const to = Math.min(lines.length - 1, Math.max(0, index));
    const line = lines[to];
    return line && { do: 'go', id: line.entry.row.id, index: to };
  };
  const line = lines[from];
  const id = line?.entry.row.id;
  switch (key) {
    case 'ArrowDown':
      return go(from + 1);
    case 'ArrowUp':
      return go(from - 1);
    case 'PageDown':
      return go(from + page);
    case 'PageUp':
      return go(from - page);
    case 'Home':
      return go(0);
    case 'End':
      return go(lines.length - 1);
    case 'Enter':
    case ' ':
      return id === undefined ? undefined : { do: 'select', id };
    case 'ArrowRight':
      if (line === undefined || id === undefined) return go(0);
      if (line.open === false) return { do: 'open', id, isOpen: true };
      return line.open === true ? go(from + 1) : undefined;
    case 'ArrowLeft': {
      if (line === undefined || id === undefined) return go(0);
      if (line.open === true && !line.onTheWay) return { do: 'open', id, isOpen: false };
      const parent = lines.findLastIndex(({ level }, index) => index < from && level < line.level);
      return parent < 0 ? undefined : go(parent);
    }
    default:
      return undefined;
  }
}
