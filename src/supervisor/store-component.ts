import type { Clock } from '../ports.ts';
import { markStore, type StoreMark } from '../store/check.mark.ts';
import { verifyStore } from '../store/check.ts';
import type { Component } from './component.ts';

/** Which store is looked at, and how it takes part in an application. */
export interface StoreComponentOptions {
  /** The SQLite file. */
  readonly path: string;
  /** Default `store`. */
  readonly name?: string;
  /** The network that its candles must be from; absent: whichever it is. */
  readonly origin?: string;
  readonly dependsOn?: readonly string[];
  readonly deadlineMs?: number;
  /** Default: the machine's. */
  readonly clock?: Clock;
}

/**
 * A collector's store as a part of an application: who writes it depends on it. It is refused early when it can't be
 * used, before anything is dialled, and looked through when everything has stopped: `files`, `series`, `integrity`
 * (see {@link verifyStore}). It opens nothing and has nothing to stop: the collector does both.
 *
 * Its start rejects with a `StoreError`.
 */
export function storeComponent(options: StoreComponentOptions): Component {
  const { path, name = 'store', origin, clock, ...rest } = options;
  let before: StoreMark | undefined;
  return {
    name,
    ...rest,
    start() {
      before = undefined;
      before = markStore(path, origin);
    },
    // What was refused is not ours to look through.
    verify: async (signal, { timeoutMs }) =>
      before === undefined ? [] : verifyStore(path, { timeoutMs, before, signal, clock }),
  };
}
