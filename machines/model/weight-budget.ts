/**
 * What may be asked of the exchange by REST, and when: request weight by the exchange's own UTC minutes, and the
 * pauses that it told us. Everything in a process that asks from one address shares one of these.
 *
 * The exchange counts by its own calendar, which is known by the `Date` of its answers, to a second. Around the
 * edge of a minute a request therefore counts in both minutes.
 */

/** A request under way. */
export interface Flight {
  /** What it is known by. */
  readonly token: object;
  readonly weight: number;
  /** Monotonic ms. */
  readonly sentAt: number;
}

/** How far the exchange's calendar is ahead of the monotonic clock: between `lo` and `hi`, ms. */
export interface Calendar {
  readonly lo: number;
  readonly hi: number;
  /** When it was last corrected, monotonic ms: two clocks drift apart. */
  readonly at: number;
}

/** What is known to be used in a minute of the exchange's calendar. */
export interface Use {
  readonly minute: number;
  readonly weight: number;
  /** When a request was last added that may have told of more than the sum, monotonic ms. */
  readonly guessedAt?: number;
}

export interface WeightBudget {
  /** Weight per minute that the exchange grants. */
  readonly limit: number;
  /** Undefined before the first answer. */
  readonly calendar: Calendar | undefined;
  /** Of this minute and later ones. */
  readonly uses: readonly Use[];
  readonly flights: readonly Flight[];
}

/** What an answer says of the count. */
export interface Heard {
  /** `Date` of the answer, ms since epoch, cut to the second. */
  readonly date?: number;
  /** Weight used in the minute, by whomever. */
  readonly used?: number;
}

export type Priority = 'live' | 'background';

/** Share of the limit: the rest is for what others on the address ask before we hear of it. */
const SHARE: Readonly<Record<Priority, number>> = { live: 0.9, background: 0.5 };

const MINUTE_MS = 60_000;
/** How wrong a `Date` and the counter beside it may be, ms. */
const GUARD_MS = 500;
/** Two sound clocks come apart by less. */
const DRIFT = 0.0002;
/** A request that was never ended by its caller is taken as answered after this, ms. */
const FLIGHT_MAX_MS = 60_000;
/** How long to wait at most for what requests under way will turn out to cost, ms. */
const ANSWER_MS = 500;

export const emptyBudget = (limit: number): WeightBudget => ({
  limit,
  calendar: undefined,
  uses: [],
  flights: [],
});

/** The minutes in which something between two instants may have been counted. */
function minutesOf(calendar: Calendar, from: number, to: number): { first: number; last: number } {
  const slack = (at: number): number => GUARD_MS + DRIFT * Math.max(0, at - calendar.at);
  const first = Math.floor((from + calendar.lo - slack(from)) / MINUTE_MS);
  return { first, last: Math.max(first, Math.floor((to + calendar.hi + slack(to)) / MINUTE_MS)) };
}

const useOf = (uses: WeightBudget['uses'], minute: number): Use =>
  uses.find((use) => use.minute === minute) ?? { minute, weight: 0 };

const withUse = (uses: WeightBudget['uses'], changed: Use): WeightBudget['uses'] => [
  ...uses.filter((use) => use.minute !== changed.minute),
  changed,
];

/** A request is sent. */
export function sent(budget: WeightBudget, token: object, weight: number, now: number): WeightBudget {
  const forgotten = budget.flights.filter((flight) => now - flight.sentAt > FLIGHT_MAX_MS);
  const swept = forgotten.reduce((swept, flight) => ended(swept, flight.token, now), budget);
  return { ...swept, flights: [...swept.flights, { token, weight, sentAt: now }] };
}

/** A request has ended. Without a word of the count it is taken as counted. */
export function ended(budget: WeightBudget, token: object, now: number, heard: Heard = {}): WeightBudget {
  const flight = budget.flights.find((one) => one.token === token);
  if (flight === undefined) return budget;
  const flights = budget.flights.filter((one) => one !== flight);
  const { calendar, contradicts } = corrected(budget.calendar, flight.sentAt, now, heard.date);
  if (calendar === undefined) return { ...budget, flights };
  const uses = contradicts ? carried(budget.uses, heard) : budget.uses;
  const { first } = minutesOf(calendar, now, now);
  const counted = countedIn(uses, minutesOf(calendar, flight.sentAt, now), flight, now, heard.used);
  return { ...budget, calendar, flights, uses: counted.filter((use) => use.minute >= first) };
}

/** The exchange wrote its `Date` between our send and our receive: that narrows what its calendar can be. */
function corrected(
  calendar: Calendar | undefined,
  sentAt: number,
  now: number,
  date: number | undefined,
): { calendar: Calendar | undefined; contradicts: boolean } {
  if (date === undefined) return { calendar, contradicts: false };
  const told: Calendar = { lo: date - now, hi: date + 999 - sentAt, at: now };
  if (calendar === undefined) return { calendar: told, contradicts: false };
  const drift = DRIFT * (now - calendar.at);
  const lo = Math.max(told.lo, calendar.lo - drift);
  const hi = Math.min(told.hi, calendar.hi + drift);
  if (lo <= hi) return { calendar: { lo, hi, at: now }, contradicts: false };
  // Between two `Date`s that are a little wrong each, the newer one; nothing that was counted changes its minute.
  const apart = Math.max(told.lo - calendar.hi, calendar.lo - told.hi) - drift;
  return { calendar: told, contradicts: apart > GUARD_MS };
}

/** The minutes were wrongly numbered, for the machine slept or a clock jumped: what is known, in the minute told. */
function carried(uses: WeightBudget['uses'], { date = 0, used }: Heard): WeightBudget['uses'] {
  const weight = used ?? Math.max(0, ...uses.map((use) => use.weight));
  return [{ minute: Math.floor(date / MINUTE_MS), weight }];
}

/** Books an answered request in the minutes that it may belong to. */
function countedIn(
  uses: WeightBudget['uses'],
  { first, last }: { first: number; last: number },
  { weight, sentAt }: Flight,
  now: number,
  used = Number.POSITIVE_INFINITY,
): WeightBudget['uses'] {
  let counted = uses;
  const add = (from: number): void => {
    for (let minute = from; minute <= last; minute++) {
      const use = useOf(counted, minute);
      const sum = use.weight + weight;
      counted = withUse(counted, { ...use, weight: sum, ...(sum < used && { guessedAt: now }) });
    }
  };
  const raise = (minute: number, added: number): void => {
    const use = useOf(counted, minute);
    counted = withUse(counted, { ...use, weight: Math.max(use.weight + added, used) });
  };
  const known = useOf(uses, first);
  const isKnown = uses.includes(known);
  // What overtook this one either was counted before it or told a higher count, ours included. Not so one
  // that was only added: it may have been counted later, without its count being taken over.
  const missed = known.guessedAt !== undefined && known.guessedAt > sentAt ? weight : 0;
  if (used === Number.POSITIVE_INFINITY) {
    add(first);
  } else if (first === last || (isKnown && used >= known.weight + weight)) {
    raise(first, missed);
    add(first + 1);
  } else {
    // Nothing to tell it by, or less than what was used already and this one: then the count began anew
    // before it, or an older answer came later.
    raise(first, isKnown ? missed : weight);
    for (let minute = first + 1; minute <= last; minute++) raise(minute, weight);
  }
  return counted;
}

/** Weight of the minute that the exchange is in, by our best guess, with what is under way; 0 before anything was asked. */
export function usedNow({ calendar, uses, flights }: WeightBudget, now: number): number {
  const inAir = flights.reduce(
    (sum, { weight, sentAt }) => (now - sentAt > FLIGHT_MAX_MS ? sum : sum + weight),
    0,
  );
  if (calendar === undefined) return inAir;
  return inAir + useOf(uses, Math.floor((now + (calendar.lo + calendar.hi) / 2) / MINUTE_MS)).weight;
}

/**
 * How long a request of this weight has to wait for the budget, ms; 0 when it may be sent now. Before the first
 * answer one request is under way at a time.
 */
export function waitFor(budget: WeightBudget, weight: number, priority: Priority, now: number): number {
  const { calendar, flights } = budget;
  if (calendar === undefined) return flights.length === 0 ? 0 : ANSWER_MS;
  const cap = budget.limit * SHARE[priority];
  // What alone is above the share has to be sent all the same some time: when nothing else is.
  const asked = Math.min(weight, cap);
  const { first, last } = minutesOf(calendar, now, now);
  // Whatever is under way may yet be counted in any minute from now on.
  const inAir = flights.reduce((sum, flight) => sum + flight.weight, 0);
  let wait = 0;
  for (let minute = first; minute <= last; minute++) {
    const known = useOf(budget.uses, minute).weight;
    if (known + inAir + asked <= cap) continue;
    const isSpent = known + asked > cap;
    const untilNext = untilMinute(calendar, minute + 1, now);
    wait = Math.max(wait, isSpent ? untilNext : Math.min(untilNext, ANSWER_MS));
  }
  return wait;
}

/** Until the exchange is certainly in that minute, ms. */
function untilMinute(calendar: Calendar, minute: number, now: number): number {
  const left = minute * MINUTE_MS - (now + calendar.lo - GUARD_MS - DRIFT * (now - calendar.at));
  // The doubt grows while we wait.
  return Math.max(1, Math.ceil(left * (1 + 2 * DRIFT)));
}
