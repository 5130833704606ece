/** A metric that is read when somebody asks, from figures that are there anyway. */
import type { CollectorHealth } from '../../health.ts';
import type { CollectorVitals, Distribution } from '../../vitals.ts';

/** All that one scrape reads, read once. */
export interface Reading {
  readonly vitals: CollectorVitals;
  readonly health: CollectorHealth;
  /** How many actors, by machine and by state. */
  readonly actors: readonly ActorCount[];
  /** Sent to actors that had ended. */
  readonly lateEvents: number;
  /** Wall ms since epoch. */
  readonly wallNow: number;
  readonly version: string;
}

export interface ActorCount {
  readonly machine: string;
  readonly state: string;
  readonly count: number;
}

type Labels = Readonly<Record<string, string | number>>;

/** A line of the text, as prom-client takes it. */
export interface Sample {
  readonly labels: Labels;
  readonly value: number;
  /** Of a histogram's parts, which have names of their own. */
  readonly metricName?: string;
}

export interface Figure {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** A sentence, with the unit. */
  readonly help: string;
  read(reading: Reading): readonly Sample[];
}

/** Of one number; undefined: there is none now, and then there is no line. */
const single =
  (type: Figure['type']) =>
  (name: string, help: string, number: (reading: Reading) => number | undefined): Figure => ({
    name,
    type,
    help,
    read: (reading) => {
      const value = number(reading);
      return value === undefined ? [] : [{ labels: {}, value }];
    },
  });

/** Of several numbers that one label tells apart. */
const several =
  (type: Figure['type']) =>
  (
    name: string,
    label: string,
    help: string,
    numbers: (reading: Reading) => Readonly<Record<string, number>>,
  ): Figure => ({
    name,
    type,
    help,
    read: (reading) =>
      Object.entries(numbers(reading)).map(([key, value]) => ({ labels: { [label]: key }, value })),
  });

export const gauge = single('gauge');
export const counter = single('counter');
export const gauges = several('gauge');
export const counters = several('counter');

/** 1 for the state that is, 0 for the others: so that each of them has a line from the start. */
export const stateSet = (names: readonly string[], is: string): Record<string, number> =>
  Object.fromEntries(names.map((name) => [name, name === is ? 1 : 0]));

export const seconds = (ms: number | undefined): number | undefined => (ms === undefined ? ms : ms / 1000);

/** Of a distribution in ms, in seconds. */
export const histogram = (
  name: string,
  help: string,
  distribution: (reading: Reading) => Distribution,
): Figure => ({
  name,
  type: 'histogram',
  help,
  read: (reading) => {
    const { bounds, counts, sum } = distribution(reading);
    const metricName = `${name}_bucket`;
    let below = 0;
    const buckets = bounds.map((bound, i): Sample => {
      below += counts[i] ?? 0;
      return { metricName, labels: { le: bound / 1000 }, value: below };
    });
    // What lies above all bounds is counted with them: the parts of a histogram must agree.
    const count = below + (counts[bounds.length] ?? 0);
    return [
      ...buckets,
      { metricName, labels: { le: '+Inf' }, value: count },
      { metricName: `${name}_sum`, labels: {}, value: sum / 1000 },
      { metricName: `${name}_count`, labels: {}, value: count },
    ];
  },
});
