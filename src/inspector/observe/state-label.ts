import type { StateValue } from '../protocol.ts';

/** A state as the label of a metric, in what is easily typed: `attached.opening`; with regions `open(proof.live carriers.one series.whole)`. */
export function stateLabel(value: StateValue): string {
  if (typeof value === 'string') return value;
  const parts = Object.entries(value).map(([name, inner]) => {
    const text = stateLabel(inner);
    if (text === '') return name;
    return text.startsWith('(') ? `${name}${text}` : `${name}.${text}`;
  });
  return parts.length === 1 ? (parts[0] ?? '') : parts.length === 0 ? '' : `(${parts.join(' ')})`;
}
