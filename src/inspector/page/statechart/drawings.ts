/** The drawings of the machines, each loaded when it is first looked at. */
const FILES = import.meta.glob<string>('../../../../docs/charts/*.svg', { query: '?raw', import: 'default' });

const loaded = new Map<string, Promise<string>>();

/** The drawing of a machine as SVG text; undefined: there is none. Rejects when it can't be loaded. */
export function drawingOf(machine: string): Promise<string> | undefined {
  const load = FILES[`../../../../docs/charts/${machine}.svg`];
  if (load === undefined) return undefined;
  const known = loaded.get(machine);
  if (known !== undefined) return known;
  const drawing = load();
  loaded.set(machine, drawing);
  // What failed once may succeed the next time.
  drawing.catch(() => loaded.delete(machine));
  return drawing;
}
