/** Rows C: what befalls connections. */
import fc from 'fast-check';
import type { Act } from '../plan.ts';
import { between, CANARY, DROP, exchange, type Kind, MINUTE, network, SECOND, seconds } from './kind.ts';

const CLOSE_CODES = [1000, 1001, 1002, 1008, 1009, 1011, 1012, 1013];
const STATUSES = [403, 404, 418, 429, 451, 500, 503, 504];
/** Longest fault of a connection, s: five minutes. */
const LONG = 300;

export const CONNECTION: readonly Kind[] = [
  {
    row: 'C01',
    draw: () => seconds(5, LONG).map((forMs) => [network({ kind: 'dns', forMs }), DROP]),
  },
  {
    row: 'C02',
    draw: () => seconds(5, LONG).map((forMs) => [network({ kind: 'unreachable', forMs }), DROP]),
  },
  {
    row: 'C03',
    draw: () =>
      between(1, 4).map((times) => [exchange({ kind: 'hangHandshake', times, forMs: 3 * MINUTE }), DROP]),
  },
  {
    row: 'C04',
    weight: 2,
    draw: () =>
      fc
        .record({
          status: fc.constantFrom(...STATUSES),
          times: between(1, 4),
          retryAfter: fc.option(
            between(1, 120).map((count) => String(count)),
            { nil: undefined },
          ),
        })
        .map(({ retryAfter, ...rest }) => [
          exchange({
            kind: 'refuse',
            ...rest,
            ...(retryAfter === undefined ? {} : { retryAfter }),
            forMs: 3 * MINUTE,
          }),
          DROP,
        ]),
  },
  {
    row: 'C05',
    draw: () =>
      between(1, 3).map((times) => [
        exchange({
          kind: 'refuse',
          status: 302,
          location: `https://user:${CANARY}@elsewhere.example/`,
          times,
          forMs: 3 * MINUTE,
        }),
        DROP,
      ]),
  },
  {
    row: 'C06',
    draw: () =>
      fc
        .record({ times: between(5, 200), code: fc.constantFrom(undefined, 1001, 1011) })
        .map(({ times, code }) => [
          exchange({ kind: 'slam', times, forMs: 10 * MINUTE, ...(code === undefined ? {} : { code }) }),
          DROP,
        ]),
  },
  {
    row: 'C09',
    weight: 3,
    draw: () => fc.constant([DROP]),
  },
  {
    row: 'C11',
    draw: () => seconds(6, 20).map((afterMs) => [exchange({ kind: 'notice' }), { ...DROP, afterMs }]),
  },
  {
    row: 'C12',
    draw: () =>
      between(1, 4).map((times) => [
        exchange({ kind: 'hangHandshake', times, forMs: MINUTE }),
        exchange({ kind: 'notice', closeAfterMs: 40 * SECOND }),
      ]),
  },
  {
    row: 'C13',
    weight: 3,
    draw: () =>
      fc.oneof(
        seconds(5, 2 * LONG).map((forMs) => [exchange({ kind: 'halfOpen', forMs })]),
        seconds(1, 2 * LONG).map((forMs) => [network({ kind: 'cut', forMs })]),
        seconds(1, LONG).map((forMs) => [network({ kind: 'clog', forMs })]),
        fc.constant([network({ kind: 'blackhole' })]),
      ),
  },
  {
    row: 'C14',
    weight: 2,
    draw: () => seconds(20, LONG).map((forMs) => [exchange({ kind: 'mute', forMs })]),
  },
  {
    row: 'C15',
    draw: () => seconds(20, LONG).map((forMs) => [exchange({ kind: 'mute', forMs }), DROP]),
  },
  {
    row: 'C16',
    weight: 2,
    draw: () =>
      fc.oneof(
        fc.constantFrom('fin' as const, 'reset' as const).map((end) => [exchange({ kind: 'tear', end })]),
        fc
          .record({ bytesPerSecond: between(1, 2_000), forMs: seconds(5, 120) })
          .map((drip) => [exchange({ kind: 'dribble', ...drip })]),
      ),
  },
  {
    row: 'C17',
    draw: () =>
      seconds(10, 120).map((forMs) => [
        exchange({ kind: 'noCloseAnswer', forMs }),
        exchange({ kind: 'notice' }),
      ]),
  },
  {
    row: 'C18',
    weight: 2,
    draw: () =>
      fc
        .constantFrom(...CLOSE_CODES)
        .map((code) => [exchange({ kind: 'drop', code, reason: 'as the plan says' })]),
  },
  { row: 'C19', draw: () => flapping },
  {
    row: 'C20',
    draw: () =>
      fc
        .record({
          offsetsMs: fc.array(seconds(0, 30), { minLength: 4, maxLength: 8 }),
          timesMs: fc.array(seconds(1, 90), { minLength: 4, maxLength: 8 }),
        })
        .map((times) => [network({ kind: 'swizzle', ...times })]),
  },
  {
    row: 'C21',
    draw: () =>
      fc
        .record({ latencyMs: between(200, 4_000), jitterMs: between(0, 3_000), forMs: seconds(20, 180) })
        .map((slow) => [network({ kind: 'slow', ...slow }), { ...DROP, afterMs: 10 * SECOND }]),
  },
  {
    row: 'C22',
    weight: 2,
    draw: () => seconds(1, 30).map((closeAfterMs) => [exchange({ kind: 'notice', closeAfterMs })]),
  },
  {
    row: 'C23',
    draw: () => seconds(5, 60).map((forMs) => [exchange({ kind: 'noPong', forMs })]),
  },
];

/** Up for a moment, down for a moment, for minutes. */
const flapping: fc.Arbitrary<readonly Act[]> = fc
  .record({ times: between(10, 60), everyMs: seconds(1, 8) })
  .map(({ times, everyMs }) =>
    Array.from({ length: times }, (_, index): Act => ({ ...DROP, afterMs: index * everyMs })),
  );
