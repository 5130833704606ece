/** One contender against one blaster, from its start to its end, and rounds of all of them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Sent } from './blaster.child.ts';
import { type Child, launch } from './child.ts';
import type { Entry } from './contenders/catalog.ts';
import { barKey, type Outcome, type Scene, type Signal } from './contenders/contender.ts';
import { barAt, barsOf, closesOf, framesOf, type Plan, streamsOf } from './frames.ts';

/** What one contender did in one round. */
export interface Measured {
  readonly messagesPerSecond: number;
  readonly cpuUsPerMessage: number;
  /** Processor time ÷ time: near 1 when nothing but itself held it up. */
  readonly busy: number;
  readonly peakRss: number;
  readonly delayP50Ms: number;
  readonly delayP99Ms: number;
  /** Frames that its user saw one by one, of those sent; absent where it gives none. */
  readonly seen?: Share;
  /** Closed bars, each once and with the exchange's numbers, of those sent. */
  readonly delivered?: Share;
  readonly stored?: Share;
}

export interface Share {
  readonly got: number;
  readonly of: number;
  /** What is no bar or frame of the exchange, or came twice. */
  readonly wrong: number;
}

/** It died, or did not do what it was started for: no figure of it counts. */
export interface Failure {
  readonly failure: string;
}

export type Result = Measured | Failure;
export const isMeasured = (result: Result | undefined): result is Measured =>
  result !== undefined && !('failure' in result);

/** For all frames of a part of the plan. */
const TAKES_MAX_MS = 100_000;

export interface Arena {
  readonly plan: Plan;
  /** Minutes of the plan that warm up. */
  readonly warmMinutes: number;
  readonly blaster: Child;
  readonly urls: Pick<Scene, 'wsUrl' | 'restUrl'>;
  readonly peers: string;
  /** Processor of the contender; undefined: not pinned. */
  readonly processor: number | undefined;
  readonly execArgv?: readonly string[];
  /** Keys of all bars that close. */
  readonly truth: ReadonlySet<string>;
}

const truthOf = (plan: Plan): Set<string> =>
  new Set(
    streamsOf(plan).flatMap((stream) =>
      closesOf(plan, stream.interval).map((openTime) => {
        const { open, high, low, close, volume } = barAt(stream, openTime);
        const numbers = { open: +open, high: +high, low: +low, close: +close, volume: +volume };
        return barKey({ symbol: stream.symbol, interval: stream.interval, openTime, ...numbers });
      }),
    ),
  );

/** Starts the blaster of a plan. `processors`: those to pin to, the first for the blaster, the last for contenders. */
export async function enter(
  plan: Plan,
  warmMinutes: number,
  options: {
    readonly peers: string;
    readonly processors: readonly number[];
    readonly execArgv?: readonly string[];
  },
): Promise<Arena> {
  const [first, last] = [options.processors[0], options.processors.at(-1)];
  const canPin = first !== undefined && first !== last;
  const blaster = launch(new URL('blaster.child.ts', import.meta.url), [JSON.stringify(plan)], {
    processor: canPin ? first : undefined,
  });
  const urls = (await blaster.next()) as Arena['urls'];
  return {
    ...{ plan, warmMinutes, blaster, urls, peers: options.peers, truth: truthOf(plan) },
    processor: canPin ? last : undefined,
    ...(options.execArgv === undefined ? {} : { execArgv: options.execArgv }),
  };
}

/** One contender's life. Never rejects for what the contender does; rejects when the blaster ends. */
export async function run(entry: Entry, arena: Arena): Promise<Result> {
  const { plan, blaster } = arena;
  const folder = mkdtempSync(join(tmpdir(), 'candlestate-bench-'));
  const { symbols, intervals } = plan;
  const scene: Scene = { ...arena.urls, symbols, intervals, mode: entry.mode, folder, peers: arena.peers };
  blaster.tell({ do: 'reset' });
  const contender = launch(entry.file, [JSON.stringify(scene)], {
    processor: arena.processor,
    execArgv: arena.execArgv ?? [],
  });
  const send = async (from: number, to: number): Promise<Sent> => {
    blaster.tell({ do: 'send', from, to });
    // With its death its connections end, and so does the sending.
    const timer = setTimeout(() => contender.kill(`took longer than ${TAKES_MAX_MS} ms`), TAKES_MAX_MS);
    return (blaster.next() as Promise<Sent>).finally(() => clearTimeout(timer));
  };
  try {
    await contender.next().catch(refuse);
    blaster.tell({ do: 'count' });
    const [carried, wanted] = [await blaster.next(), symbols.length * intervals.length];
    if (carried !== wanted) return { failure: `subscribed ${carried} of ${wanted} streams` };
    await send(0, arena.warmMinutes);
    contender.tell({ bars: barsOf(plan, arena.warmMinutes) } satisfies Signal);
    await contender.next().catch(refuse);
    const sent = await send(arena.warmMinutes, plan.minutes);
    contender.tell({ bars: barsOf(plan) } satisfies Signal);
    const outcome = (await contender.next().catch(refuse)) as Outcome;
    return judge(arena, sent, outcome);
  } catch (error) {
    if (error instanceof ContenderDied) return { failure: error.message };
    throw error;
  } finally {
    await contender.end();
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

class ContenderDied extends Error {}
const refuse = (error: unknown): never => {
  throw new ContenderDied(error instanceof Error ? error.message : String(error));
};

function judge({ plan, warmMinutes, truth }: Arena, sent: Sent, outcome: Outcome): Result {
  const messages = framesOf(plan, plan.minutes - warmMinutes);
  // It let go of connections, or had more than it needs: what the others cost it says nothing.
  if (sent.frames !== messages) return { failure: `took ${sent.frames} of ${messages} frames` };
  const tookMs = Math.max(sent.readAt, outcome.doneAt ?? 0) - sent.beganAt;
  const { frames, delivered, stored, peakRss, delayP50Ms, delayP99Ms } = outcome;
  if (frames === 0) return { failure: 'saw no frame' };
  return {
    messagesPerSecond: (messages / tookMs) * 1_000,
    cpuUsPerMessage: outcome.cpuUs / messages,
    busy: outcome.cpuUs / tookMs / 1_000,
    ...{ peakRss, delayP50Ms, delayP99Ms },
    ...(frames === undefined ? {} : { seen: seenOf(frames, messages) }),
    ...(delivered === undefined ? {} : { delivered: shareOf(delivered, truth) }),
    ...(stored === undefined ? {} : { stored: shareOf(stored, truth) }),
  };
}

/** What was counted beyond what was sent is as wrong as what was not. */
const seenOf = (frames: number, messages: number): Share => ({
  got: Math.min(frames, messages),
  of: messages,
  wrong: Math.max(0, frames - messages),
});

/** How many of all bars are among those given. */
export function shareOf(given: readonly string[], truth: ReadonlySet<string>): Share {
  const got = new Set(given.filter((key) => truth.has(key))).size;
  return { got, of: truth.size, wrong: given.length - got };
}

/** Results by contender, one for each round. */
export type Rounds = ReadonlyMap<string, readonly Result[]>;

/** All contenders, round after round, each round beginning with another one. */
export async function rounds(
  entries: readonly Entry[],
  arena: Arena,
  count: number,
  onResult: (entry: Entry, round: number, result: Result) => void = () => {},
): Promise<Rounds> {
  const results = new Map<string, Result[]>(entries.map(({ id }) => [id, []]));
  for (let round = 0; round < count; round++)
    for (let turn = 0; turn < entries.length; turn++) {
      const entry = entries[(round + turn) % entries.length] as Entry;
      const result = await run(entry, arena);
      results.get(entry.id)?.push(result);
      onResult(entry, round, result);
    }
  return results;
}
