/** The inspector in whole: a server, what it answers, and how all of that ends. */
import type { Check, StartContext } from '../../supervisor/component.ts';
import { quiet, silent } from '../../supervisor/quiet.ts';
import { within } from '../../supervisor/within.ts';
import { systemClock } from '../../transport/clock.ts';
import type { Inspector, InspectorOptions, Watched } from '../options.ts';
import { hostsOf, urlOf } from './hosts.ts';
import { idleClock } from './idle-clock.ts';
import { listen } from './listen.ts';
import { LiveSockets } from './live.ts';
import { Page, type PageOptions, pagePlace } from './page-files.ts';
import { Router } from './routes.ts';
import { Ages, boundedServer, LIMITS, type Limits } from './server.ts';
import { openShow, type Show, viewerOf } from './show.ts';

/** What only tests and the inspector's own parts have different. */
export interface Inside {
  readonly limits?: Partial<Limits>;
  readonly page?: Partial<PageOptions>;
  /** Breaks off the start. */
  readonly signal?: AbortSignal;
  /** Hears when the server ends by itself. */
  readonly context?: StartContext;
}

/** An inspector, and what is left of it when it has closed. */
export interface OpenInspector extends Inspector {
  verify(): Promise<readonly Check[]>;
}

const LOOPBACK = '127.0.0.1';
const NEVER = new AbortController().signal;
const CLOSE_TIMEOUT_MS = 1_000;
/** What is being asked when the end comes gets this to be answered, ms; nobody loses anything by being cut off. */
const ANSWERS_MS = 200;

/** @throws {CandlestateError} `HTTP_LISTEN`, `VIEWER_MISSING`; {ConfigurationError} of `allowedHosts`. */
export async function serveInspector(
  collector: Watched,
  options: InspectorOptions,
  inside: Inside = {},
): Promise<OpenInspector> {
  const { clock = systemClock } = options;
  const idle = idleClock(clock);
  const logger = quiet(options.logger ?? silent);
  const limits = { ...LIMITS, ...inside.limits };
  const host = (options.host ?? LOOPBACK).replace(/^\[(.*)\]$/, '$1');
  const hostsAt = hostsOf(host, options.allowedHosts);
  const viewer = await viewerOf(collector, options, idle, logger);
  const server = boundedServer(limits);
  const ages = new Ages(server, idle, limits);
  const { signal = NEVER, context = { ended() {} } } = inside;
  const { http, port } = await listen(server, options.port, { host, clock, signal, context });
  const page = new Page({ clock: idle, logger, ...pagePlace(), ...inside.page });
  const hosts = hostsAt(port);
  let show: Show;
  try {
    show = openShow({ collector, page, clock: idle, logger, viewer }, options);
  } catch (error) {
    await http.stop?.(NEVER, { timeoutMs: 0, reason: 'failed' });
    throw error;
  }
  const sockets = new LiveSockets(hosts, show.doors, ages);
  const router = new Router(show.routes, hosts, { ages, clock: idle, logger, limits });
  server.on('request', router.handle).on('checkContinue', router.handle).on('upgrade', sockets.upgrade);

  const end = async (timeoutMs: number): Promise<void> => {
    const until = clock.now() + timeoutMs;
    const pageClosed = page.close();
    show.farewell();
    await sockets.close(clock, timeoutMs);
    try {
      show.close();
    } catch (error) {
      // What behaves like a collector may fail like none: the server ends all the same.
      logger.error('the inspector could not let go of all that it watched', { error });
    }
    server.off('request', router.handle).off('checkContinue', router.handle).off('upgrade', sockets.upgrade);
    const left = (): number => Math.max(0, until - clock.now());
    await http.stop?.(NEVER, { timeoutMs: Math.min(ANSWERS_MS, left()), reason: 'closed' });
    await within(pageClosed, left(), clock);
  };
  let closed: Promise<void> | undefined;
  const close: Inspector['close'] = ({ timeoutMs = CLOSE_TIMEOUT_MS } = {}) => {
    closed ??= end(timeoutMs);
    return closed;
  };
  return {
    url: urlOf(host, port),
    close,
    verify: async () => [
      ...((await http.verify?.(NEVER, { timeoutMs: 0 })) ?? []),
      sockets.open === 0
        ? { name: 'pages', outcome: 'ok' }
        : { name: 'pages', outcome: 'failed', detail: `${sockets.open} are connected` },
    ],
    [Symbol.asyncDispose]: () => close(),
  };
}
