import type { AnyActorRef } from 'xstate';
import type { BinanceDataCollector } from '../collector.ts';
import type { Clock, Logger } from '../ports.ts';

/** What the inspector needs of a collector: a `BinanceDataCollector`, or what behaves like one. */
export type Watched = Pick<
  BinanceDataCollector,
  'actor' | 'status' | 'vitals' | 'health' | 'getCandleBuffer' | 'getFormingCandle' | 'getOpenGaps' | 'on'
>;

/** Where the inspector listens, and what it shows besides the collector. */
export interface InspectorOptions {
  /** Default: 8787, or a free one when that is taken. One that is given and taken is refused. 0: a free one. */
  readonly port?: number | undefined;
  /** Default `127.0.0.1`: nobody but this machine. */
  readonly host?: string | undefined;
  /**
   * Names by which it may be asked besides those of this machine: a request whose Host is none of them is refused.
   * Names or addresses, without port (then any port will do) or with one.
   */
  readonly allowedHosts?: readonly string[] | undefined;
  /** Other actor systems to be shown, by their roots: of a supervisor, say. */
  readonly roots?: readonly AnyActorRef[] | undefined;
  /** Serves `/stately` too: the same stream for the hosted viewer of `@statelyai/inspect`, which has to be installed. */
  readonly viewer?: 'stately' | undefined;
  /** Default: nothing is logged. */
  readonly logger?: Logger | undefined;
  /** Default: the machine's. */
  readonly clock?: Clock | undefined;
}

/** A running inspector. It keeps no process alive. */
export interface Inspector extends AsyncDisposable {
  /** `http://127.0.0.1:8787/` */
  readonly url: string;
  /** Lets go of everything within `timeoutMs` (default 1,000), whoever is still connected. Idempotent. */
  close(options?: { readonly timeoutMs?: number }): Promise<void>;
}
