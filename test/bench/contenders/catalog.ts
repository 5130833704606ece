/** Who takes part. */
export interface Entry {
  readonly id: string;
  /** As the table names it. */
  readonly title: string;
  readonly file: URL;
  readonly mode: string;
  /** Package of npm that only the benchmark installs. */
  readonly peer?: string;
  /** The most that its processor time may be, as a share of the floor's. */
  readonly target?: number;
}

const byHand = new URL('by-hand.child.ts', import.meta.url);
const candlestate = new URL('candlestate.child.ts', import.meta.url);

/** What all are measured by. */
export const FLOOR = 'floor';

/** Source of the targets: the design, what it must cost. */
export const ENTRIES: readonly Entry[] = [
  { id: 'raw', title: 'raw `ws`, counting frames', file: byHand, mode: 'raw' },
  { id: 'parse', title: '`ws` + `JSON.parse`', file: byHand, mode: 'parse' },
  { id: FLOOR, title: '**floor C**: `ws` + `JSON.parse` + numbers + callback', file: byHand, mode: 'floor' },
  { id: 'closed', title: '**candlestate**, closed bars', file: candlestate, mode: 'closed', target: 0.33 },
  { id: 'updates', title: '**candlestate**, every update', file: candlestate, mode: 'updates', target: 0.55 },
  {
    id: 'store',
    title: '**candlestate**, closed bars, store',
    file: candlestate,
    mode: 'closed+store',
    target: 0.33,
  },
  {
    id: 'updates-store',
    title: '**candlestate**, every update, store',
    file: candlestate,
    mode: 'updates+store',
    target: 0.55,
  },
  {
    id: 'inspector',
    title: '**candlestate**, closed bars, inspector',
    file: candlestate,
    mode: 'closed+inspector',
  },
  {
    id: 'store-inspector',
    title: '**candlestate**, closed bars, store, inspector',
    file: candlestate,
    mode: 'closed+store+inspector',
  },
  {
    id: 'binance-raw',
    title: '`binance`, as sent',
    file: new URL('binance.child.ts', import.meta.url),
    mode: 'message',
    peer: 'binance',
  },
  {
    id: 'binance',
    title: '`binance`, as numbers',
    file: new URL('binance.child.ts', import.meta.url),
    mode: 'formattedMessage',
    peer: 'binance',
  },
  {
    id: 'ccxt',
    title: '`ccxt` pro',
    file: new URL('ccxt.child.ts', import.meta.url),
    mode: 'watchOHLCV',
    peer: 'ccxt',
  },
  {
    id: 'official',
    title: '`@binance/derivatives-trading-usds-futures`',
    file: new URL('official.child.ts', import.meta.url),
    mode: 'klineCandlestickStreams',
    peer: '@binance/derivatives-trading-usds-futures',
  },
];

/** Those that are held to the promise, and to what was recorded. */
export const OURS: ReadonlySet<string> = new Set(
  ENTRIES.filter(({ file }) => file === candlestate).map(({ id }) => id),
);
