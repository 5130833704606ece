/** Collects the evidence about a collector that runs in this process: what it tells, says, stores and sends. */
import { existsSync } from 'node:fs';
import { nextOpenTime } from '../../machines/model/interval.ts';
import { type Candle, type Series, seriesKey } from '../../machines/model/kline.ts';
import { REST_PATHS } from '../../src/binance/venue.ts';
import type { BinanceDataCollector, StopReport } from '../../src/index.ts';
import type { SimulatedExchange, Truth } from '../../src/simulator/index.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { type Asked, barKey, type Evidence, type OracleTruth, type Sample, type Told } from './evidence.ts';
import { readStore } from './store-file.ts';
import { listen, type WireEvent } from './wire-tap.ts';

/** Between two looks at the status, wall ms. */
const SAMPLE_MS = 20;
/** What a repair may take when nothing stands in its way, wall ms: a scan, its question, a second one. */
const REPAIR_MS = 1_500;
/** How long the exchange may take to see a socket end that was closed, wall ms. */
const FAREWELL_MS = 1_000;

/** The exchange behind a proxy on which somebody listens. What it is, it is of the exchange behind. */
export interface Tapped {
  readonly wsUrl: string;
  readonly restUrl: string;
  readonly timeScale: number;
  readonly proxy: TcpProxy;
  readonly events: readonly WireEvent[];
}

/** Puts a proxy before the WebSocket side of an exchange. */
export async function tap(exchange: SimulatedExchange): Promise<Tapped> {
  const proxy = await startTcpProxy(Number(new URL(exchange.wsUrl).port));
  const events: WireEvent[] = [];
  proxy.onLink = (link) => listen(link, events);
  const { restUrl, timeScale } = exchange;
  return { wsUrl: `ws://127.0.0.1:${proxy.port}`, restUrl, timeScale, proxy, events };
}

export interface WatchOptions {
  /** Path of the collector's store, if it has one. */
  readonly store?: string | undefined;
  readonly wire?: Pick<Tapped, 'events'> | undefined;
  /** History that was asked for, exchange ms. */
  readonly backfillMs?: number | undefined;
  readonly repairMs?: number | undefined;
  readonly mayBeOpen?: Evidence['mayBeOpen'] | undefined;
  readonly mayDiffer?: ((candle: Candle, asked: readonly Asked[]) => boolean) | undefined;
  /** Instead of the exchange's own. */
  readonly truth?: OracleTruth | undefined;
}

/** A collection under observation. Begin before it starts. */
export interface Observed {
  /** No fault is in force from now on: what is owed later must be there. */
  calm(): void;
  /** What is known by now. */
  evidence(): Evidence;
  /** Stops the collector, waits until the exchange sees it gone, and hands over everything. */
  finish(stop?: () => Promise<StopReport>): Promise<Evidence & { readonly report: StopReport }>;
}

/** Observes a collector from its making on. */
export function watch(
  collector: BinanceDataCollector,
  exchange: Pick<SimulatedExchange, 'now' | 'truth' | 'log' | 'sockets' | 'timeScale'>,
  options: WatchOptions = {},
): Observed {
  const told: Told[] = [];
  const samples: Sample[] = [];
  /** Also those that have ended since. */
  const known = new Map<string, Series>();
  const asked: Asked[] = [];
  const heldBefore = held(options.store);
  let faultsOverAt = Number.NEGATIVE_INFINITY;
  let askedUntil = Number.NEGATIVE_INFINITY;
  let startedAt: number | undefined;

  const off = [
    collector.on('candle', (candle) => told.push({ kind: 'candle', candle, at: exchange.now() })),
    collector.on('gap', (gap) => told.push({ kind: 'gap', gap, at: exchange.now() })),
    collector.on('revision', (revision) => told.push({ kind: 'revision', ...revision, at: exchange.now() })),
    // A word that is taken back before the next look is a word too.
    collector.on('state', ({ to }) => {
      if (to === 'streaming') startedAt ??= exchange.now();
      sample();
    }),
  ];
  const sample = (): void => {
    for (const entry of exchange.log()) {
      if (entry.wallMs <= askedUntil || entry.kind !== 'http') continue;
      askedUntil = entry.wallMs;
      const url = new URL(entry.path ?? '/', 'http://exchange');
      const symbol = url.searchParams.get('symbol');
      const { wallMs, at, status = 0 } = entry;
      if (symbol !== null && url.pathname !== REST_PATHS.time) asked.push({ wallMs, at, symbol, status });
    }
    const { state, isConnected, series } = collector.status();
    for (const { symbol, interval } of series)
      known.set(seriesKey({ symbol, interval }), { symbol, interval });
    samples.push({
      at: exchange.now(),
      wallMs: performance.now(),
      state,
      isConnected,
      series: new Map(series.map((one) => [seriesKey(one), one.state])),
      sockets: exchange.sockets(),
    });
  };
  sample();
  const timer = setInterval(sample, SAMPLE_MS);
  timer.unref();

  const evidenceAt = (endedAt: number, socketsLeft: number | undefined): Evidence => ({
    series: [...known.values()],
    timeScale: exchange.timeScale,
    truth: options.truth ?? withEnds(exchange.truth),
    store: options.store !== undefined && existsSync(options.store) ? readStore(options.store) : undefined,
    heldBefore,
    told: [...told],
    toldIsAll: true,
    samples: [...samples],
    wire: options.wire && [...options.wire.events],
    asked: [...asked],
    endedAt,
    readAt: exchange.now(),
    faultsOverAt,
    backfillFrom:
      options.backfillMs === undefined || startedAt === undefined
        ? undefined
        : startedAt - options.backfillMs,
    repairMs: options.repairMs ?? REPAIR_MS,
    socketsLeft,
    mayBeOpen: options.mayBeOpen ?? (() => false),
    mayDiffer: (candle) => options.mayDiffer?.(candle, asked) ?? false,
  });
  return {
    calm: () => {
      faultsOverAt = exchange.now();
    },
    // A row may be committed and not yet delivered.
    evidence: () => ({ ...evidenceAt(exchange.now(), undefined), toldIsAll: false }),
    finish: async (stop = () => collector.stop()) => {
      const endedAt = exchange.now();
      const report = await stop();
      sample();
      clearInterval(timer);
      for (const one of off) one();
      for (const end = performance.now() + FAREWELL_MS; exchange.sockets() > 0 && performance.now() < end; )
        await new Promise((resolve) => setTimeout(resolve, 5));
      // Bars that closed while it stopped may be there, and need not.
      return { ...evidenceAt(endedAt, exchange.sockets()), readAt: exchange.now(), report };
    },
  };
}

/** The truth of a simulated exchange, and when its symbols ended. */
const withEnds = (truth: Truth): OracleTruth => ({
  candle: (symbol, interval, openTime) => truth.candle(symbol, interval, openTime),
  endOf: (symbol) => {
    const info = truth.symbols().find((one) => one.symbol === symbol);
    return info !== undefined && ['SETTLING', 'CLOSE'].includes(info.status) ? info.deliveryDate : undefined;
  },
});

/** What a store holds already. */
function held(path: string | undefined): Set<string> {
  const keys = new Set<string>();
  if (path === undefined || !existsSync(path)) return keys;
  const content = readStore(path);
  for (const candle of content.candles) keys.add(barKey(candle));
  for (const gap of content.gaps)
    for (
      let openTime = gap.fromOpenTime;
      openTime <= gap.toOpenTime;
      openTime = nextOpenTime(gap.interval, openTime)
    ) {
      keys.add(`gap ${barKey({ ...gap, openTime })} open`);
      if (gap.filledAt !== null) keys.add(`gap ${barKey({ ...gap, openTime })} filled`);
    }
  return keys;
}
