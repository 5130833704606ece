/** One life at scale: an exchange and a collector, each in a process of its own, and a folder for the store. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type Child, launch } from '../bench/child.ts';
import type {
  CollectorOrder,
  CollectorPlan,
  Figures,
  Live,
  Stopped,
  Subscribed,
  Told,
  VenueOrder,
  VenuePlan,
} from './life.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** All sockets are dialled, two a second. */
const LIVE_WITHIN_MS = 180_000;

/** A process that answers each order which has an answer. */
class Asked<Order> {
  readonly child: Child;
  constructor(child: Child) {
    this.child = child;
  }
  tell(order: Order): void {
    this.child.tell(order);
  }
  ask<Answer>(order: Order, withinMs?: number): Promise<Answer> {
    this.child.tell(order);
    return this.child.next(withinMs) as Promise<Answer>;
  }
}

export interface Life extends AsyncDisposable {
  readonly store: string;
  tellVenue(order: VenueOrder): void;
  tell(order: CollectorOrder): void;
  live(): Promise<Live>;
  /** Closes that were sent since the last asking. */
  sent(): Promise<Told>;
  /** Candles that were delivered since the last asking. */
  told(): Promise<Told>;
  count(): Promise<number>;
  subscribed(): Promise<Subscribed>;
  figures(): Promise<Figures>;
  drain(count: number): Promise<Told>;
  stop(): Promise<Stopped>;
}

/**
 * A folder in which the package is installed, as its user has it, and a program beside it that needs nothing but Node: no
 * types are taken away in its process, for that takes 17 MB.
 */
function installed(folder: string, name: string): URL {
  mkdirSync(join(folder, 'node_modules'), { recursive: true });
  symlinkSync(ROOT, join(folder, 'node_modules', 'candlestate'), 'junction');
  const source = readFileSync(new URL(name, import.meta.url), 'utf8');
  const file = join(folder, name.replace(/\.ts$/u, '.mjs'));
  writeFileSync(file, stripTypeScriptTypes(source));
  return pathToFileURL(file);
}

/** Memory of a process in which nothing is but Node, bytes. */
export async function idleRss(): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'candlestate-idle-'));
  const child = launch(installed(folder, 'idle.child.ts'), []);
  try {
    return (await child.next()) as number;
  } finally {
    await child.end();
    rmSync(folder, { recursive: true, force: true });
  }
}

export async function enter(
  plan: VenuePlan,
  options: Pick<CollectorPlan, 'bufferSize'> & { readonly execArgv?: readonly string[] } = {},
): Promise<Life> {
  const { execArgv = [], ...more } = options;
  const folder = mkdtempSync(join(tmpdir(), 'candlestate-scale-'));
  const venue = new Asked<VenueOrder>(
    launch(new URL('venue.child.ts', import.meta.url), [JSON.stringify(plan)]),
  );
  const urls = (await venue.child.next()) as Pick<CollectorPlan, 'wsUrl' | 'restUrl'>;
  const { symbols, intervals, timeScale } = plan;
  const store = join(folder, 'candles.db');
  const program: CollectorPlan = { ...urls, symbols, intervals, timeScale, store, ...more };
  const collector = new Asked<CollectorOrder>(
    launch(installed(folder, 'collector.child.ts'), [JSON.stringify(program)], { execArgv }),
  );
  await collector.child.next();
  return {
    store,
    tellVenue: (order) => venue.tell(order),
    tell: (order) => collector.tell(order),
    live: () => collector.ask({ do: 'live' }, LIVE_WITHIN_MS),
    sent: () => venue.ask({ do: 'sent' }),
    subscribed: () => venue.ask({ do: 'streams' }),
    told: () => collector.ask({ do: 'told' }),
    count: () => collector.ask({ do: 'count' }),
    figures: () => collector.ask({ do: 'figures' }),
    drain: (count) => collector.ask({ do: 'drain', count }),
    stop: () => collector.ask({ do: 'stop' }),
    async [Symbol.asyncDispose]() {
      await collector.child.end();
      await venue.child.end();
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}
