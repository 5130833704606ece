/** Rows T, S, L, and what consumers do: what befalls a process, its machine and its disk. */
import fc from 'fast-check';
import type { Act, ConsumerFault, DiskFault, ProcessFault, StopHow } from '../plan.ts';
import { between, DROP, exchange, type Kind, MINUTE, network, SECOND, seconds } from './kind.ts';

const own = (fault: ProcessFault, afterMs?: number): Act => ({
  ...(afterMs === undefined ? {} : { afterMs }),
  on: 'process',
  fault,
});
const disk = (fault: DiskFault): Act => ({ on: 'disk', fault });
const consumer = (fault: ConsumerFault): Act => ({ on: 'consumer', fault });

/** How long nobody collects, ms: a moment, or some bars. */
const down = (): fc.Arbitrary<number> => fc.oneof(between(10, 3_000), seconds(3, 120), seconds(120, 1_800));

const stop = (row: string, hows: readonly StopHow[], before: readonly Act[], weight = 1): Kind => ({
  row,
  weight,
  draw: () =>
    fc
      .record({ how: fc.constantFrom(...hows), downMs: down(), afterMs: between(0, 8_000) })
      .map(({ how, downMs, afterMs }) => [
        ...before,
        own({ kind: 'stop', how, downMs }, before.length === 0 ? 0 : afterMs),
      ]),
});

const HANGING = exchange({ kind: 'hangHandshake', forMs: 30 * SECOND });

/** Ends of a process. */
export const ENDS: readonly Kind[] = [
  {
    row: 'S01',
    weight: 4,
    draw: () => down().map((downMs) => [own({ kind: 'kill', downMs })]),
  },
  {
    row: 'S05',
    weight: 2,
    draw: () =>
      fc
        .record({ lostMs: seconds(1, 20), downMs: down() })
        .map((power) => [own({ kind: 'power', ...power })]),
  },
  {
    row: 'H12',
    draw: () =>
      fc
        .record({ downMs: seconds(300, 3_000), after: between(100, 6_000) })
        .map(({ downMs, after }) => [
          own({ kind: 'kill', downMs }),
          own({ kind: 'kill', downMs: SECOND }, downMs + after),
        ]),
  },
  stop('L01', ['signal', 'interrupt'], [], 3),
  stop('L02', ['twice', 'callback'], [], 2),
  stop('L03', ['forced'], []),
  stop('L06', ['abort'], []),
  stop('C07', ['signal'], [HANGING, DROP]),
  stop('C08', ['signal'], [network({ kind: 'unreachable', forMs: 20 * SECOND }), DROP]),
  stop('C17', ['signal'], [exchange({ kind: 'noCloseAnswer', forMs: MINUTE })]),
];

/** What a process lives through. */
export const PROCESS: readonly Kind[] = [
  {
    row: 'T01',
    weight: 3,
    draw: () => fc.oneof(between(100, 5_000), seconds(5, 300)).map((ms) => [own({ kind: 'freeze', ms })]),
  },
  {
    row: 'T02',
    draw: () => fc.oneof(seconds(5, 300), seconds(300, 7_200)).map((ms) => [own({ kind: 'sleep', ms })]),
  },
  {
    row: 'T03',
    draw: () =>
      fc.constantFrom(-3_600, -60, 45, 3_600).map((count) => [own({ kind: 'step', ms: count * SECOND })]),
  },
  {
    row: 'T06',
    draw: () =>
      fc
        .record({ ms: between(20, 5_000), forMs: seconds(30, 300) })
        .map((late) => [own({ kind: 'late', ...late })]),
  },
  {
    row: 'S06',
    weight: 2,
    draw: () => between(1, 30).map((times) => [disk({ kind: 'full', times })]),
  },
  {
    row: 'S07',
    draw: () => between(1, 3).map((times) => [disk({ kind: 'broken', times })]),
  },
  {
    row: 'S17',
    weight: 2,
    draw: () => between(1, 3).map((times) => [disk({ kind: 'lost', times })]),
  },
  {
    row: 'S15',
    draw: () =>
      fc
        .record({ commitMs: between(50, 2_500), forMs: seconds(20, 300) })
        .map((slow) => [disk({ kind: 'slow', ...slow })]),
  },
  {
    row: 'L08',
    weight: 2,
    draw: () => between(1, 10).map((times) => [consumer({ kind: 'throw', times })]),
  },
  {
    row: 'B01',
    // Hours: a reader that lags by no more than its queue never reads from the store.
    draw: () => seconds(10, 1_800).map((ms) => [consumer({ kind: 'stall', forMs: 8 * ms })]),
  },
  { row: 'L07', draw: () => fc.constant([consumer({ kind: 'leave' })]) },
];

/** A machine whose calendar is wrong from the start, minutes. */
export const SKEWS = [-7, -2, 0, 0, 3, 11];
