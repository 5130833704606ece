/** What the collector says of what befalls it, for the log. */
import type { SymbolNews, TimeJumped } from './collector.types.ts';
import type { FeedReport } from './feed.machine.ts';
import type { RestReport } from './rest-session.machine.ts';
import type { StoreReport } from './store.machine.ts';

/** For the log, through the actor's `on('NOTICE')`. */
export interface Notice {
  readonly type: 'NOTICE';
  readonly level: 'info' | 'warn' | 'error';
  /**
   * Stable name of what happened: `FEED_UP`, `FEED_DOWN`, `FEED_ROTATED`, `ROTATION_FAILS`, `STREAM_MUTE`,
   * `STORE_TROUBLE`, `PREPARE_FAILED`, `CLOCK_JUMPED`, `REST_LIMITED`, `REST_BANNED`, `REST_FREE`,
   * `SYMBOL_LISTED`, `SYMBOL_HALTED`, `SYMBOL_RESUMED`, `SYMBOL_RETIRED`, `SYMBOLS_GONE`.
   */
  readonly code: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

type Told = Omit<Notice, 'type'>;
type Of<Report extends { type: string }, Type extends Report['type']> = Extract<Report, { type: Type }>;

export const feedUp = ({ id, proof }: Of<FeedReport, 'FEED.UP'>): Told => ({
  level: 'info',
  code: 'FEED_UP',
  message: 'feed is up',
  fields: { feed: id, proof },
});

export const feedDown = ({ id, reason, retryMs, alarming }: Of<FeedReport, 'FEED.DOWN'>): Told => ({
  level: alarming ? 'error' : 'warn',
  code: 'FEED_DOWN',
  message: 'feed is down',
  fields: { feed: id, reason, retryMs },
});

export const feedAlarm = ({ id, code, message, fields }: Of<FeedReport, 'FEED.ALARM'>): Told => ({
  level: 'error',
  code,
  message,
  fields: { feed: id, ...fields },
});

export const feedRotated = ({ id, reason }: Of<FeedReport, 'FEED.ROTATED'>): Told => ({
  level: 'info',
  code: 'FEED_ROTATED',
  message: 'feed goes on with a new connection',
  fields: { feed: id, reason },
});

export const storeTrouble = ({ reason, retryMs }: Of<StoreReport, 'STORE.TROUBLE'>): Told => ({
  level: 'error',
  code: 'STORE_TROUBLE',
  message: 'the store cannot write; rows wait',
  fields: { reason, retryMs },
});

export const prepareFailed = (reason: string, retryMs: number): Told => ({
  level: 'warn',
  code: 'PREPARE_FAILED',
  message: 'the exchange cannot be asked yet',
  fields: { reason, retryMs },
});

export const clockJumped = ({ reason }: TimeJumped): Told => ({
  level: 'warn',
  code: 'CLOCK_JUMPED',
  message: 'the clock jumped, or the machine slept; every connection is proved anew',
  fields: { reason },
});

export const restLimited = ({ forMs, reason }: Of<RestReport, 'REST.LIMITED'>): Told => ({
  level: 'warn',
  code: 'REST_LIMITED',
  message: 'REST requests wait for the limit of the exchange',
  fields: { reason, forMs },
});

export const restBanned = ({ forMs, reason }: Of<RestReport, 'REST.BANNED'>): Told => ({
  level: 'error',
  code: 'REST_BANNED',
  message: 'the exchange refuses this address; REST sends nothing for a while',
  fields: { reason, forMs },
});

export const restFree: Told = {
  level: 'info',
  code: 'REST_FREE',
  message: 'REST requests go on',
  fields: {},
};

/** Symbols that one line names; a listing of hundreds is counted. */
const NAMED_MAX = 20;

const NEWS: Readonly<Record<SymbolNews['code'], Pick<Told, 'level' | 'message'>>> = {
  SYMBOL_LISTED: { level: 'info', message: 'symbols trade; their streams start' },
  SYMBOL_HALTED: { level: 'warn', message: 'symbols are halted; their streams stay' },
  SYMBOL_RESUMED: { level: 'info', message: 'symbols trade again' },
  SYMBOL_RETIRED: { level: 'warn', message: 'symbols have ended; their streams retire at the last bar' },
  SYMBOLS_GONE: { level: 'warn', message: 'every symbol has ended; nothing is left to collect' },
};

export const symbolNews = ({ code, symbols }: SymbolNews): Told => ({
  code,
  ...NEWS[code],
  fields: {
    count: symbols.length,
    symbols: symbols.slice(0, NAMED_MAX),
  },
});
