/** What watches a collector, and what it has to show: by GET under which path, and by WebSocket. */
import manifest from '../../../package.json' with { type: 'json' };
import type { Clock, Logger } from '../../ports.ts';
import { detailOf } from '../detail/context.ts';
import { SeriesBook } from '../detail/series.ts';
import { Hub } from '../live/hub.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { Observer } from '../observe/observer.ts';
import type { InspectorOptions, Watched } from '../options.ts';
import { remembered } from '../remembered.ts';
import type { StatelyViewer } from '../stately/viewer.ts';
import { json, policyOf } from './answer.ts';
import type { Doors } from './live.ts';
import type { Page } from './page-files.ts';
import type { Route, Routes } from './routes.ts';

export interface Show {
  readonly routes: Routes;
  readonly doors: Doors;
  /** Tells all pages that this ends. */
  farewell(): void;
  /** Lets go of the collector. */
  close(): void;
}

export interface ShowParts {
  readonly collector: Watched;
  readonly page: Page;
  /** Its timers keep no process alive. */
  readonly clock: Clock;
  readonly logger: Logger;
  readonly viewer: StatelyViewer | undefined;
}

const { version } = manifest;

/** The hosted viewer's package is loaded when it is asked for. @throws {CandlestateError} `VIEWER_MISSING` */
export async function viewerOf(
  collector: Watched,
  { viewer, roots }: InspectorOptions,
  clock: Clock,
  logger: Logger,
): Promise<StatelyViewer | undefined> {
  if (viewer === undefined) return undefined;
  const { statelyViewer } = await import('../stately/viewer.ts');
  return statelyViewer({ roots: rootsOf(collector, roots), clock, logger });
}

const rootsOf = (collector: Watched, roots: InspectorOptions['roots'] = []) => [collector.actor, ...roots];

/** Begins to watch. */
export function openShow(
  { collector, page, clock, logger, viewer }: ShowParts,
  { roots }: InspectorOptions,
): Show {
  const observer = new Observer({ clock, roots: rootsOf(collector, roots) });
  const series = new SeriesBook(collector);
  const hub = new Hub({ collector, observer, series, clock, logger, version });
  const metrics = lazyMetrics(collector, observer, clock);
  const farewell = (): void => {
    hub.close();
    viewer?.close();
  };
  const close = (): void => {
    hub.terminate();
    metrics.close();
    observer.detach();
    // Last: it calls what the collector gave, whatever that does.
    series.close();
  };
  try {
    observer.attach();
  } catch (error) {
    close();
    throw error;
  }
  const api: Route = ([what, ...rest]) => {
    if (what === 'actors') {
      const id = rest.join('/');
      const actor = observer.find(id);
      return actor === undefined ? undefined : json(200, detailOf(id, actor));
    }
    const [symbol = '', interval = '', ...more] = rest;
    if (what !== 'series' || more.length > 0) return undefined;
    const picture = series.picture(symbol, interval);
    return picture === undefined ? undefined : json(200, picture);
  };
  return {
    routes: {
      '': (rest) => (rest.length === 0 ? page.answer('') : undefined),
      assets: (rest) => page.answer(['assets', ...rest].join('/')),
      healthz: healthRoute(collector, clock),
      metrics: metrics.route,
      api,
      ...(viewer === undefined ? {} : { stately: viewerRoute(viewer, page) }),
    },
    doors: {
      live: (socket) => hub.add(socket),
      ...(viewer === undefined ? {} : { 'stately/live': (socket) => viewer.attach(socket) }),
    },
    farewell,
    close,
  };
}

/** `/healthz`: 200 while the promise is being kept. */
function healthRoute(collector: Watched, clock: Clock): Route {
  // A stop is told at once; what ails series is looked for a little later.
  const stateNow = (): string => collector.vitals().state;
  const make = () => {
    const health = collector.health();
    return json(health.ok ? 200 : 503, health);
  };
  const answer = remembered(clock, make, stateNow);
  return (rest) => (rest.length === 0 ? answer() : undefined);
}

/** `/metrics`: nothing of it is loaded before the first scrape. */
function lazyMetrics(collector: Watched, observer: Observer, clock: Clock) {
  let metrics: Metrics | undefined;
  let isClosed = false;
  const route: Route = async (rest) => {
    if (rest.length > 0) return undefined;
    const { Metrics } = await import('../metrics/metrics.ts');
    if (isClosed) return undefined;
    metrics ??= new Metrics({ collector, observer, version, clock });
    return { status: 200, type: metrics.contentType, body: await metrics.text() };
  };
  const close = (): void => {
    isClosed = true;
    metrics?.close();
  };
  return { route, close };
}

/** `/stately`: a page of ours that shows the hosted one in a frame. */
const viewerRoute =
  ({ page: { file, frameSrc } }: StatelyViewer, page: Page): Route =>
  async (rest) => {
    if (rest.length > 0) return undefined;
    const answer = await page.answer(file);
    return { ...answer, headers: { ...answer.headers, 'content-security-policy': policyOf(frameSrc) } };
  };
