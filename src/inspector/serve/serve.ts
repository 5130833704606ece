/** The inspector in whole: a server, what it answers, and how all of that ends. */
import type { Check, StartContext } from '../../supervisor/component.ts';
import { quiet, silent } from '../../supervisor/quiet.ts';
import { within } from '../../supervisor/within.ts';
import { systemClock } from '../../transport/clock.ts';
import type { Inspector, InspectorOptions, Watched } from '../options.ts';
import { hostsOf, urlOf } from './hosts.ts';
import { idleClock } from './idle-clock.ts';
import { type Listening, listen } from './listen.ts';
import { Page, type PageOptions, pagePlace } from './page-files.ts';
import { healthRoute, Router } from './routes.ts';
import { boundedServer, LIMITS, type Limits } from './server.ts';

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
const CLOSE_TIMEOUT_MS = 1_000;
/** What is being asked when the end comes gets this to be answered, ms; nobody loses anything by being cut off. */
const ANSWERS_MS = 200;

/** @throws {CandlestateError} `HTTP_LISTEN`. */
export async function serveInspector(
  collector: Watched,
  options: InspectorOptions,
  inside: Inside = {},
): Promise<OpenInspector> {
  const { clock = systemClock } = options;
  const host = (options.host ?? LOOPBACK).replace(/^\[(.*)\]$/, '$1');
  const limits = { ...LIMITS, ...inside.limits };
  const logger = quiet(options.logger ?? silent);
  const idle = idleClock(clock);
  const hostsAt = hostsOf(host, options.allowedHosts);
  const server = boundedServer(limits);
  const listening = await listen(server, options.port, {
    host,
    clock,
    signal: inside.signal ?? new AbortController().signal,
    context: inside.context ?? { ended() {} },
  });
  const page = new Page({ clock: idle, logger, ...pagePlace(), ...inside.page });
  const routes = {
    '': () => page.answer(''),
    assets: (rest: readonly string[]) => page.answer(['assets', ...rest].join('/')),
    healthz: healthRoute(collector, clock),
  };
  const hosts = hostsAt(listening.port);
  const router = new Router(routes, hosts, logger, limits.answerTimeoutMs);
  server.on('request', router.handle).on('checkContinue', router.handle);
  const url = urlOf(host, listening.port);
  let closed: Promise<void> | undefined;
  const close: Inspector['close'] = ({ timeoutMs = CLOSE_TIMEOUT_MS } = {}) => {
    closed ??= end(timeoutMs);
    return closed;
  };
  async function end(timeoutMs: number): Promise<void> {
    await Promise.all([stop(listening, timeoutMs), within(page.close(), timeoutMs, clock)]);
  }
  return {
    url,
    close,
    verify: async () => (await listening.http.verify?.(new AbortController().signal, { timeoutMs: 0 })) ?? [],
    [Symbol.asyncDispose]: () => close(),
  };
}

async function stop({ http }: Listening, timeoutMs: number): Promise<void> {
  const context = { timeoutMs: Math.min(ANSWERS_MS, timeoutMs), reason: 'closed' };
  await http.stop?.(new AbortController().signal, context);
}
