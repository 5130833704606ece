/** What a soak is made of, drawn by its seed: the faults of a long life, and the lives that end in every way. */
import { diceOf, isKnown, KINDS, type Setting } from '../storm/drawing.ts';
import { oneOf, seeded } from '../support/seeded.ts';
import { DEATHS, type DeathName } from './deaths.ts';
import type { NetworkFault } from './weather.ts';

export type Strike = { readonly atMs: number; readonly name: string } & (
  | { readonly target: 'network'; readonly fault: NetworkFault }
  | { readonly target: 'process'; readonly fault: { readonly kind: 'suspend'; readonly forMs: number } }
  | { readonly target: 'exchange'; readonly fault: Readonly<Record<string, unknown>> }
);

/** Bad weather comes in squalls; between them a connection has the time to be called stable, and the backoff to begin anew. */
const SQUALL_MS = { from: 20_000, to: 60_000 };
const LULL_MS = { from: 35_000, to: 60_000 };
/** From one fault of a squall to the next, wall ms. */
const APART_MS = { from: 500, to: 6_000 };
/** Out of ten faults. */
const SHARES = [
  'network',
  'network',
  'network',
  'network',
  'network',
  'network',
  'exchange',
  'exchange',
  'exchange',
  'process',
] as const;

/**
 * Faults of the exchange that a store must be equal to the truth in spite of: they change nothing that the exchange has, and
 * tell nothing that is wrong. The others need patience, or a word for the oracle: storms have those.
 */
export const HONEST = new Set([
  'drop',
  'close frame',
  'half-open',
  'mute',
  'mute streams',
  'mute until resubscribed',
  'mute until reconnected',
  'refuse',
  'refuse with 429',
  'hang handshake',
  'slam',
  'tear',
  'notice',
  'garbage',
  'garbage among frames',
  'late closes',
  'no closes',
  'double closes',
  'closes out of turn',
  'replay',
  'no pongs',
  'no acknowledgement',
  'error acknowledgement',
  'no answer to closes',
  'REST fails',
  'REST is slow',
  'REST hangs',
  'REST breaks off',
  'REST is cut',
  'REST packs badly',
  'REST sends a page',
  'rate limited',
  'banned',
]);

type Between = (from: number, to: number) => number;

/** Weather: a row each, and how long it lasts; long ones outlast the time-outs of a ping. */
const ROWS: readonly ((between: Between, random: () => number) => NetworkFault)[] = [
  (_, random) => ({ kind: oneOf(['reset', 'fin'], random), path: pathOf(random) }),
  (_, random) => ({ kind: oneOf(['reset', 'fin'], random), path: 'streams' }),
  (between, random) => ({ kind: 'cut', path: pathOf(random), bytes: between(1, 4_000) }),
  (between, random) => ({ kind: 'refuse', path: pathOf(random), forMs: between(200, 8_000) }),
  (between, random) => ({ kind: 'split', path: pathOf(random), forMs: between(1_000, 10_000) }),
  (between, random) => ({
    kind: 'blackhole',
    path: pathOf(random),
    direction: directionOf(random),
    forMs: between(200, 15_000),
  }),
  (between, random) => ({
    kind: 'clog',
    path: pathOf(random),
    direction: directionOf(random),
    forMs: between(200, 30_000),
  }),
  (between, random) => ({
    kind: 'dribble',
    path: pathOf(random),
    bytes: between(1, 200),
    everyMs: between(1, 50),
    forMs: between(500, 10_000),
  }),
  (between, random) => ({
    kind: 'throttle',
    path: pathOf(random),
    bytesPerSecond: between(200, 20_000),
    forMs: between(500, 10_000),
  }),
];
const pathOf = (random: () => number) => oneOf(['streams', 'rest', 'both'] as const, random);
const directionOf = (random: () => number) => oneOf(['both', 'toClient', 'toServer'] as const, random);

const betweenBy =
  (random: () => number): Between =>
  (from, to) =>
    from + Math.floor(random() * (to - from + 1));

const drawNetwork = (random: () => number): NetworkFault => oneOf(ROWS, random)(betweenBy(random), random);

/** Every fault of a long life, in order. */
export function drawWeather(seed: number, forMs: number, setting: Setting): Strike[] {
  const random = seeded(seed);
  const between = betweenBy(random);
  const dice = diceOf(random, setting);
  const kinds = KINDS.filter(({ name }) => HONEST.has(name));
  const strikes: Strike[] = [];
  let squallEndsMs = between(SQUALL_MS.from, SQUALL_MS.to);
  for (let atMs = between(0, 2_000); atMs < forMs; atMs += between(APART_MS.from, APART_MS.to)) {
    if (atMs > squallEndsMs) {
      atMs += between(LULL_MS.from, LULL_MS.to);
      squallEndsMs = atMs + between(SQUALL_MS.from, SQUALL_MS.to);
      continue;
    }
    const target = oneOf(SHARES, random);
    if (target === 'network') {
      const fault = drawNetwork(random);
      strikes.push({ atMs, target, name: fault.kind, fault });
    } else if (target === 'process')
      strikes.push({ atMs, target, name: 'suspend', fault: { kind: 'suspend', forMs: between(100, 8_000) } });
    else {
      const kind = oneOf(kinds, random);
      const fault = kind.draw(dice);
      if (isKnown(fault)) strikes.push({ atMs, target, name: kind.name, fault });
    }
  }
  return strikes;
}

/** One life of many on one store. */
export interface Life {
  readonly death: DeathName;
  /** From its birth, wall ms; it may be over before anything has begun. */
  readonly livedMs: number;
  readonly signal: 'SIGINT' | 'SIGTERM';
  /** Between two signals, or asleep, wall ms. */
  readonly apartMs: number;
  /** In [0, 1): of whatever is scarce, how much it may have. */
  readonly share: number;
  /** Strikes while it lives. */
  readonly weather: NetworkFault | undefined;
  /** Until the next birth, wall ms. */
  readonly pauseMs: number;
}

/** Lives without end; each kind of death in turn, in an order that is drawn anew each time. */
export function* drawLives(seed: number): Generator<Life, never> {
  const random = seeded(seed);
  const between = betweenBy(random);
  const names = Object.keys(DEATHS) as DeathName[];
  for (let left: DeathName[] = []; ; ) {
    if (left.length === 0)
      left = names.flatMap((name) => Array.from({ length: DEATHS[name].weight }, () => name));
    const [death = 'SIGKILL'] = left.splice(Math.floor(random() * left.length), 1);
    const isYoung = random() < 0.25;
    yield {
      death,
      livedMs: isYoung ? between(0, 500) : between(500, 4_000),
      signal: oneOf(['SIGINT', 'SIGTERM'] as const, random),
      apartMs: between(1, 1_500),
      share: random(),
      weather: random() < 0.4 ? drawNetwork(random) : undefined,
      pauseMs: random() < 0.5 ? 0 : between(0, 1_500),
    };
  }
}
