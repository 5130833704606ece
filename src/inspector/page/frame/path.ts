/** What the address says is shown: `#/collector/feed0/socket`, `#charts`, `#charts/connection`. */
export type Place =
  | { readonly view: 'actor'; readonly path: readonly string[] }
  | { readonly view: 'charts'; readonly machine?: string };

const CHARTS = '#charts';

export function placeOf(hash: string): Place {
  if (hash === CHARTS) return { view: 'charts' };
  if (hash.startsWith(`${CHARTS}/`)) return { view: 'charts', machine: plain(hash.slice(CHARTS.length + 1)) };
  return { view: 'actor', path: hash.replace(/^#\/?/, '').split('/').filter(Boolean).map(plain) };
}

export const hashOf = (place: Place): string =>
  place.view === 'charts'
    ? [CHARTS, ...(place.machine === undefined ? [] : [encodeURIComponent(place.machine)])].join('/')
    : `#/${place.path.map(encodeURIComponent).join('/')}`;

/** Somebody may have typed it. */
function plain(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
