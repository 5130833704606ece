/**
 * What the server tells the page. JSON over one WebSocket (`/live`), and over GET what is asked for on demand. The
 * page only looks: the one thing it says is which series it shows.
 */
import type { Interval } from '../../machines/model/interval.ts';
import type { Candle, CandleSource, Shape } from '../../machines/model/kline.ts';

/** `attached.open.live` and the like, as XState has it: a name, or regions. */
export type StateValue = string | { readonly [region: string]: StateValue };

export type ActorStatus = 'active' | 'done' | 'error' | 'stopped';

/** An actor as it is now. */
export interface ActorRow {
  /** Unique over all actors that are watched: number of its root, and session: `0/x:3`. */
  readonly id: string;
  readonly parent?: string;
  /** What its parent calls it: `feed0`, `stream.BTCUSDT@1m`, `socket`. */
  readonly name: string;
  /** Id of its statechart, as `connection`; absent: no chart (a promise, a callback). */
  readonly machine?: string;
  readonly status: ActorStatus;
  /** Absent: it has no chart. */
  readonly value?: StateValue;
  /** `BTCUSDT@1m` of an actor that is about one series. */
  readonly series?: string;
  /** The transition last taken. */
  readonly last?: Step;
  /** When it goes on by itself, as after a backoff: wall ms of the collector's machine. */
  readonly dueAt?: number;
  /** Transitions taken so far. */
  readonly steps: number;
}

/** A transition that was taken. */
export interface Step {
  /** Wall ms since epoch. */
  readonly at: number;
  /** Type of the event that caused it; for a delay and for what a child did, in XState's words. */
  readonly event: string;
  /** What the event gave as its reason, if it gave one. */
  readonly reason?: string;
  /** The edges of the chart that were taken: `source state|event|index`, see `chart/edge-key.ts`. */
  readonly edges: readonly string[];
}

/** A line of the list of recent transitions. */
export interface RecentStep extends Step {
  /** Ascending over all actors. */
  readonly seq: number;
  readonly actor: string;
  readonly name: string;
  readonly machine: string;
  /** The state it led to. */
  readonly value: StateValue;
}

/** Why the promise is not being kept, as `/healthz` says it. */
export interface StripAilment {
  /** `BTCUSDT@1m`; absent: of all. */
  readonly series?: string;
  readonly problem: string;
  readonly forMs: number;
}

/** The strip at the head of the page. */
export interface Strip {
  readonly state: string;
  readonly mode: string;
  readonly isConnected: boolean;
  /** Whether the promise is being kept, as `/healthz` says it. */
  readonly healthy: boolean;
  /** Why not: the first few, and how many there are. Absent: healthy, or only not streaming. */
  readonly ailments?: readonly StripAilment[];
  readonly ailing?: number;
  /** How many series are in which state: `live`, `quiet`, `mute`, `repairing`, … */
  readonly streams: Readonly<Record<string, number>>;
  readonly messagesPerSecond: number;
  /** Of the last closes: arrival − end of the bar, wall ms. */
  readonly lagMs?: number;
  readonly weight: { readonly used: number; readonly limit: number };
  readonly lastCommit?: { readonly agoMs: number; readonly tookMs: number };
  readonly rowsWaiting: number;
  readonly gaps: { readonly open: number; readonly named: number };
  /** Closed bars by where they came from, in this process. */
  readonly bars: Readonly<Record<CandleSource, number>>;
  /** Exchange ms; absent before it is known. */
  readonly exchangeTime?: number;
  readonly timeScale: number;
}

/** A closed bar. */
export interface Bar extends Shape, Pick<Candle, 'openTime' | 'source'> {
  /** The exchange has corrected it. */
  readonly revised?: true;
}

/** Bars that the exchange lacks: open times, both inclusive, exchange ms. */
export interface GapMark {
  readonly fromOpenTime: number;
  readonly toOpenTime: number;
  readonly reason: string;
  readonly status: 'open' | 'filled';
}

/** `GET /api/series/<symbol>/<interval>`: the bars in memory, oldest first. */
export interface SeriesPicture {
  readonly symbol: string;
  readonly interval: Interval;
  readonly bars: readonly Bar[];
  readonly forming?: Omit<Bar, 'source'>;
  readonly gaps: readonly GapMark[];
}

/** What is new of the series that this page shows. */
export interface SeriesNews {
  /** `BTCUSDT@1m`. */
  readonly series: string;
  /** Closed, filled in late or corrected since the last news, ascending. */
  readonly bars: readonly Bar[];
  readonly forming?: Omit<Bar, 'source'>;
  /** All of them, when they have changed. */
  readonly gaps?: readonly GapMark[];
}

/** `GET /api/actors/<id>`: an actor with its context, cut to a bound, secrets out. */
export interface ActorDetail {
  readonly id: string;
  readonly context: unknown;
}

/** Everything: to whoever comes, and again to whoever was too slow for the news. */
export interface Picture {
  readonly type: 'picture';
  readonly at: number;
  readonly version: string;
  readonly actors: readonly ActorRow[];
  /** Newest last. */
  readonly recent: readonly RecentStep[];
  readonly strip: Strip;
}

/** What has changed in the last 100 ms. */
export interface News {
  readonly type: 'news';
  readonly at: number;
  /** New or changed. */
  readonly actors?: readonly ActorRow[];
  /** Ended long ago, and forgotten. */
  readonly gone?: readonly string[];
  readonly recent?: readonly RecentStep[];
  readonly strip?: Strip;
  readonly series?: SeriesNews;
}

export type ServerMessage = Picture | News;

/** The one thing that a page may say: the series it shows, or none. */
export interface WatchMessage {
  readonly type: 'watch';
  readonly series?: string;
}
