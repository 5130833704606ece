import type { Door } from './door.ts';
import type { Fault } from './fault-shapes.ts';
import type { FaultBoard } from './faults.ts';
import type { Feed } from './feed.ts';
import type { Mutes } from './mutes.ts';
import type { Roster } from './roster.ts';
import type { WeightMeter } from './weight.ts';

export interface CommandPorts {
  readonly now: () => number;
  readonly roster: Roster;
  readonly feed: Feed;
  readonly door: Door;
  readonly mutes: Mutes;
  readonly faults: FaultBoard;
  readonly weight: WeightMeter;
}

/** Does what a fault asks for at once, and puts in force what lasts. */
export function command(ports: CommandPorts, fault: Fault): void {
  const { feed, door, mutes, faults } = ports;
  if (isDone(ports, fault) || door.strike(fault)) return;
  if (fault.kind === 'mute') {
    const open = door.connections().map(({ socket }) => socket);
    mutes.begin(fault, open);
  }
  faults.add(fault);
  if (fault.kind === 'closes') feed.stir();
}

/** Does what is a thing of one moment and not one of sockets; false when the fault is another one. */
function isDone({ now, roster, feed, weight }: CommandPorts, fault: Fault): boolean {
  switch (fault.kind) {
    case 'symbol':
      roster.live(fault, now());
      return true;
    case 'outage':
      roster.outage(fault, now());
      return true;
    case 'revise':
      roster.revise(fault, now());
      return true;
    case 'replay':
      feed.replay(fault);
      return true;
    case 'ban':
      weight.banFor(fault.forMs, { retryAfter: fault.retryAfter ?? true, text: fault.text ?? true });
      return true;
    case 'weight':
      weight.jump(fault.used);
      return true;
    default:
      return false;
  }
}
