/**
 * Which paths a WebSocket may open, and what they deliver.
 * Source: USDⓈ-M Futures WebSocket System Upgrade Notice, 2026-03-06; measurements of 2026-07 and 2026-10-07.
 */
export interface Route {
  /** Frames in the envelope `{"stream":…,"data":…}`; the `combined` property at connect. */
  readonly combined: boolean;
  /** False for the un-routed legacy paths: they open, acknowledge and stay mute for klines. */
  readonly delivers: boolean;
  readonly names: readonly string[];
}

/** The route of a request target, or undefined where the exchange answers 404. */
export function routeOf(target: string): Route | undefined {
  let url: URL;
  try {
    url = new URL(target, 'ws://exchange');
  } catch {
    return undefined;
  }
  const delivers = url.pathname.startsWith('/market/');
  const path = delivers ? url.pathname.slice('/market'.length) : url.pathname;
  if (path === '/stream') {
    return { combined: true, delivers, names: split(url.searchParams.get('streams') ?? '') };
  }
  if (path === '/ws' || path.startsWith('/ws/')) {
    return { combined: false, delivers, names: split(decode(path.slice('/ws/'.length))) };
  }
  return undefined;
}

const split = (names: string): string[] => names.split('/').filter((name) => name !== '');

function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
