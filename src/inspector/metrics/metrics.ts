import { type Metric, Registry } from 'prom-client';
import type { Clock } from '../../ports.ts';
import { systemClock } from '../../transport/clock.ts';
import type { Watched } from '../options.ts';
import { remembered } from '../remembered.ts';
import { type ActorCounts, ActorStates } from './actor-states.ts';
import { FIGURES } from './catalogue.ts';
import type { Figure, Reading } from './figure.ts';
import { measureProcess, processText } from './process.ts';

export interface MetricsOptions {
  readonly collector: Pick<Watched, 'vitals' | 'health'>;
  readonly observer: ActorCounts;
  /** Of this package, for `candlestate_build_info`; default: unknown. */
  readonly version?: string | undefined;
  /** Default: the machine's. */
  readonly clock?: Clock | undefined;
}

/**
 * The figures of a collector and of this process as Prometheus reads them. All are read when somebody asks, from what
 * is counted anyway: between two scrapes it does nothing. No label names a series, for there may be thousands.
 */
export class Metrics {
  /** Of the answer to a scrape. */
  readonly contentType: string = Registry.PROMETHEUS_CONTENT_TYPE;
  readonly #registry = new Registry();
  readonly #states = new ActorStates();
  readonly #clock: Clock;
  #read: (() => Reading) | undefined;
  #reading: Reading | undefined;
  #text: () => Promise<string>;

  constructor({ collector, observer, version = 'unknown', clock = systemClock }: MetricsOptions) {
    this.#clock = clock;
    this.#text = remembered(clock, () => this.#write());
    this.#read = () => ({
      vitals: collector.vitals(),
      health: collector.health(),
      actors: this.#states.read(observer.countByState()),
      lateEvents: observer.lateEvents(),
      wallNow: clock.wallNow(),
      version,
    });
    for (const figure of FIGURES) this.#registry.registerMetric(this.#metricOf(figure));
    measureProcess();
  }

  /** All metrics as of now; of this process alone once it is closed. */
  text(): Promise<string> {
    return this.#text();
  }

  /** Lets go of the collector. */
  close(): void {
    this.#registry.clear();
    this.#read = undefined;
    this.#reading = undefined;
    this.#text = remembered(this.#clock, () => this.#write());
  }

  async #write(): Promise<string> {
    this.#reading = this.#read?.();
    // Each metric is read before the first of these waits: all of one text are of one moment.
    const texts = [this.#registry.metrics(), processText(this.#clock)];
    return (await Promise.all(texts)).join('\n');
  }

  /** Of the metrics of prom-client, a registry asks for no more than this; theirs count for themselves, ours need not. */
  #metricOf({ name, type, help, read }: Figure): Metric {
    const get = () => ({
      name,
      type,
      help,
      aggregator: 'sum',
      values: this.#reading === undefined ? [] : read(this.#reading),
    });
    return { name, type, help, get } as unknown as Metric;
  }
}
