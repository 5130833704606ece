/** A history source made of the real parts, on an exchange of a test, and what came of it. */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { strToU8, zipSync } from 'fflate';
import { onTestFinished } from 'vitest';
import { candlesIn } from '../../machines/model/block.ts';
import type { Run } from '../../machines/model/gaps.ts';
import { nextOpenTime } from '../../machines/model/interval.ts';
import type { Candle, Series } from '../../machines/model/kline.ts';
import type { RestPort } from '../../src/actors/rest-port.ts';
import { type ArchiveFile, fileName } from '../../src/binance/archive.ts';
import { ArchiveClient } from '../../src/history/archive/archive-client.ts';
import { ArchiveFolder } from '../../src/history/archive/archive-folder.ts';
import { createHistorySource } from '../../src/history/source.ts';
import type {
  ArchiveFiles,
  HistoryPlan,
  HistoryQuery,
  HistorySource,
  Loaded,
} from '../../src/history/types.ts';
import type { Clock } from '../../src/ports.ts';
import { systemClock } from '../../src/transport/clock.ts';
import { rowOf } from '../actors/exchange.ts';
import { folder, Memo } from '../support/collector.ts';
import { type Reply, type ScriptedHttp, says, scriptedHttp, sessionOn } from '../support/scripted-http.ts';

/** UTC, as `2026-02-03` or `2026-02-03T10:00`. */
export const time = (text: string): number => Date.parse(`${text}${text.length > 10 ? '' : 'T00:00'}Z`);
export const MINUTE = 60_000;
export const DAY = 24 * 60 * MINUTE;
export const BTC = { symbol: 'BTCUSDT', interval: '1m' } as const;

/** A source on an exchange in the network, each part asked by HTTP. */
export function sourceOn(
  { restUrl, visionUrl }: { readonly restUrl: string; readonly visionUrl: string },
  { clock = systemClock, rest = sessionOn(restUrl, { clock }).rest }: { clock?: Clock; rest?: RestPort } = {},
) {
  const log = new Memo();
  const files = new ArchiveClient({ visionUrl, isTrusted: false, cacheDir: folder(), clock, logger: log });
  onTestFinished(() => files.close());
  return { source: createHistorySource({ rest, files, clock, logger: log }), log, files };
}

/** A source on a folder of files, and REST if there is one. */
export function sourceIn(dir: string, rest?: RestPort, clock: Clock = systemClock): HistorySource {
  const files = new ArchiveFolder(dir);
  const hasFile = (file: ArchiveFile): Promise<boolean> => files.has(file);
  return createHistorySource({ rest, files, hasFile, clock, logger: new Memo() });
}

/** A source on files that a test makes up. */
export const sourceWith = (files: ArchiveFiles, rest?: RestPort, clock: Clock = systemClock): HistorySource =>
  createHistorySource({ rest, files, clock, logger: new Memo() });

export const query = (from: string, to: string, change: Partial<HistoryQuery> = {}): HistoryQuery => ({
  ...BTC,
  from: time(from),
  to: time(to),
  source: 'auto',
  ...change,
});

/** Everything that a load gave. */
export interface Outcome {
  readonly plan: HistoryPlan;
  readonly parts: readonly Loaded[];
  readonly candles: readonly Candle[];
  readonly lacking: readonly Run[];
  readonly unreached: readonly Run[];
  /** `kind found: done`, in order. */
  readonly notes: readonly string[];
}

export async function loadAll(
  source: HistorySource,
  wanted: HistoryQuery,
  signal?: AbortSignal,
): Promise<Outcome> {
  const plan = await source.plan(wanted, signal);
  const parts: Loaded[] = [];
  for await (const part of source.load(plan, signal)) parts.push(part);
  const notes = [...plan.notes, ...parts.flatMap((part) => part.notes)];
  return {
    plan,
    parts,
    candles: parts.flatMap(({ blocks }) => blocks.flatMap((block) => [...candlesIn(block)])),
    lacking: parts.flatMap((part) => part.lacking),
    unreached: parts.flatMap((part) => part.unreached),
    notes: notes.map(({ kind, found, done }) => `${kind} | ${found} | ${done}`),
  };
}

/** The candles of a truth that open in [from, to), as they would be loaded. */
export function truthOf(
  truth: { candle(symbol: string, interval: Series['interval'], openTime: number): Candle | undefined },
  { symbol, interval, from, to }: Pick<HistoryQuery, 'symbol' | 'interval' | 'from' | 'to'>,
): Candle[] {
  const candles: Candle[] = [];
  for (let open = from; open < to; open = nextOpenTime(interval, open)) {
    const candle = truth.candle(symbol, interval, open);
    if (candle !== undefined) candles.push(candle);
  }
  return candles;
}

/** Without where they came from. */
export const values = (candles: readonly Candle[]): Omit<Candle, 'source'>[] =>
  candles.map(({ source: _, ...rest }) => rest);

/** How many came from where. */
export function sources(candles: readonly Candle[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { source } of candles) counts[source] = (counts[source] ?? 0) + 1;
  return counts;
}

/** A REST server with these bars, ascending, whose time is `now`; and a session on it. */
export async function restOf(
  candles: readonly Candle[],
  now: number,
  change: { before?: readonly Reply[]; clock?: Clock } = {},
): Promise<{ rest: RestPort; server: ScriptedHttp }> {
  const answer: Reply = (response, request, number) => {
    const url = new URL(request.url ?? '', 'http://exchange');
    if (url.pathname.endsWith('/time')) return says(200, { serverTime: now })(response, request, number);
    if (!url.pathname.endsWith('/klines')) return says(200, { symbols: [] })(response, request, number);
    const start = Number(url.searchParams.get('startTime'));
    const limit = Number(url.searchParams.get('limit'));
    const rows = candles.filter(({ openTime }) => openTime >= start && openTime <= now).slice(0, limit);
    says(200, rows.map(rowOf))(response, request, number);
  };
  const server = await scriptedHttp(...(change.before ?? []), answer);
  return {
    rest: sessionOn(server.url, change.clock === undefined ? {} : { clock: change.clock }).rest,
    server,
  };
}

/** Rows of a file, each as text. */
export const csvOf = (candles: readonly Candle[]): string[] =>
  candles.map((candle) => rowOf(candle).join(','));

/** Writes an archive file into a folder, with its checksum beside it. */
export function writeFile(dir: string, file: ArchiveFile, lines: readonly string[]): void {
  const zip = zipSync({ [file.entry]: strToU8(`${lines.join('\n')}\n`) });
  const path = join(dir, file.path);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, zip);
  writeFileSync(`${path}.CHECKSUM`, `${createHash('sha256').update(zip).digest('hex')}  ${fileName(file)}\n`);
}
