/** I5, I6 and I7: how a process has ended, and what it has left behind. */
import type { StopHow } from '../plan.ts';
import type { Ending, Tenant } from '../tenant.ts';
import type { Theatre } from '../theatre.ts';

const CODES: Readonly<Record<StopHow, number>> = {
  signal: 143,
  interrupt: 130,
  twice: 0,
  // A collector that stops and its supervisor has not asked it to has ended its application.
  callback: 1,
  abort: 1,
  forced: 1,
};
/** A disk that was at fault so long before may have cost rows, ms. */
const DISK_MS = 60_000;

const wasDiskAtFault = ({ world, disk, diskFaultAt }: Theatre): boolean =>
  world.now() - Math.max(disk.failedAt, diskFaultAt) < DISK_MS;

/** It has ended and nobody had asked it to. */
export function judgeOwnEnd(theatre: Theatre, code: number): void {
  // A store that fails for good ends the program with 1: somebody has to see to it.
  const isExcused = code === 1 && wasDiskAtFault(theatre);
  const { violations } = theatre;
  if (!isExcused) violations.add('I7', 'ended by itself', `with ${code}`);
}

/** It ends now: in its time, and by force only where it was asked to. */
export function judgeExit({ violations }: Theatre, tenant: Tenant, ending: Ending): void {
  const { stopping, isOverdue } = tenant;
  if (isOverdue) violations.add('I5', 'did not stop in time', `${ending.kind}, ${stopping?.how}`);
  if (ending.kind !== 'forced') return;
  if (stopping === undefined)
    violations.add('I7', 'forced, and nobody had asked it to end', `${ending.code}`);
  if (ending.code !== CODES.forced) violations.add('I7', 'exit code of a forced exit', `${ending.code}`);
}

/** It has ended as it was asked to. */
export function judgeEnd(theatre: Theatre, tenant: Tenant, code: number): void {
  const { violations } = theatre;
  const { stopping, wire, life, collector, consumers, host, network } = { ...tenant, ...theatre };
  if (stopping === undefined) return;
  const { how, stillMs } = stopping;
  // One that is over within milliseconds hears of no second signal.
  const wanted = how === 'forced' && stopping.isForced !== true ? CODES.signal : CODES[how];
  const isExcused = code === 1 && (stillMs > 0 || wasDiskAtFault(theatre));
  if (code !== wanted && !isExcused) violations.add('I7', `exit code of ${how}`, `${code}, not ${wanted}`);
  if (collector.state !== 'stopped') violations.add('I4', 'over, and not stopped', collector.state);
  if (collector.isConnected) violations.add('I4', 'over, and connected', '');
  const left = (name: string, count: number): void => {
    if (count > 0) violations.add('I6', `${name} left after the stop`, `${count}, ${how}`);
  };
  left('sockets', network.openSockets(life));
  left('sockets', wire.socketsOpen);
  left('requests', wire.requestsOpen);
  left('timers', life.timers);
  left('listeners of the process', host.listening);
  // Rows of which it is not known whether they were written are lost by its own word, and 1 says so.
  const untold = tenant.told.untold();
  if (untold !== undefined && code !== 1) violations.add('I1', 'stored and never delivered', untold);
  const missed = consumers.missed();
  if (missed !== undefined && code !== 1) violations.add('I2', 'a reader missed bars', missed);
}
