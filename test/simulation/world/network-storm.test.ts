/** Whatever befalls it, a simulated connection keeps the rules of the port: checked in a storm of faults. */
import { expect, test } from 'vitest';
import type { Socket } from '../../../src/ports.ts';
import type { Fault } from '../../../src/simulator/index.ts';
import { oneOf, seeded } from '../../support/seeded.ts';
import { Ear, type VirtualRig, virtualRig } from './rigs.ts';

const SUBSCRIBE = JSON.stringify({ method: 'SUBSCRIBE', params: ['btcusdt@kline_1m'], id: 7 });
const HOUR_MS = 3_600_000;

const FAULTS: readonly Fault[] = [
  { kind: 'drop', code: 1001 },
  { kind: 'drop' },
  { kind: 'tear', end: 'reset' },
  { kind: 'halfOpen', forMs: 20_000 },
  { kind: 'dribble', bytesPerSecond: 50, forMs: 30_000 },
  { kind: 'refuse', status: 429, forMs: 5_000 },
  { kind: 'refuse', status: 0, times: 2 },
  { kind: 'hangHandshake', forMs: 10_000 },
  { kind: 'slam', code: 1008, times: 1 },
  { kind: 'slam', times: 1 },
  { kind: 'noCloseAnswer', forMs: 20_000 },
  { kind: 'noPong', times: 1 },
  { kind: 'malformed', text: 'x'.repeat(1_100_000), times: 1 },
  { kind: 'malformed', text: 'x', times: 5 },
  { kind: 'notice', closeAfterMs: 500 },
];

/** What is done to the way, and to the process. */
const strike = ({ network, life }: VirtualRig): readonly (() => void)[] => [
  () => network.clog('all', 15_000),
  () => network.clog([1, 2, 3, 5, 8, 13], 40_000),
  () => network.blackhole('all'),
  () => network.cutOff(12_000),
  () => network.setLatency(1, 0),
  () => network.setLatency(30, 2_000),
  () => network.dnsFails(5_000),
  () => network.refuseConnections(5_000),
  () => life.freeze(8_000),
  () => life.sleep(20_000),
];

/** A socket that keeps book of what it is told, and of what it should not have been. */
class Watched extends Ear {
  readonly wrong: string[] = [];
  isTerminated = false;

  constructor() {
    super();
    this.onWord = () => {
      if (this.isTerminated) this.wrong.push('told something after it was destroyed');
      if (this.told.some((word) => word.startsWith('closed')))
        this.wrong.push('told something after its end');
    };
  }

  /** What is wrong with all that it was told. */
  get faults(): string[] {
    const opened = this.told.lastIndexOf('opened');
    const isEarly = opened > 0 || (opened < 0 && this.texts.length > 0);
    return isEarly ? [...this.wrong, 'told something before it was open'] : this.wrong;
  }
}

test.each([1, 2, 3, 4, 5])(
  'a storm over an hour breaks no rule, and leaves nothing behind (%i)',
  async (seed) => {
    const rig = await virtualRig({ dice: seed, serverPingMs: 20_000, pongTimeoutMs: 60_000 });
    const random = seeded(seed);
    const strikes = strike(rig);
    const all: { readonly ear: Watched; readonly socket: Socket }[] = [];
    let requests = 0;
    let settled = 0;
    while (rig.world.now() < HOUR_MS) {
      const ear = new Watched();
      all.push({ ear, socket: rig.open(ear) });
      const { socket, ear: its } = oneOf(all.slice(-5), random);
      if (random() < 0.5) socket.send(SUBSCRIBE);
      if (random() < 0.3) socket.ping();
      if (random() < 0.1) socket.close();
      if (random() < 0.1) {
        its.isTerminated = true;
        socket.terminate();
      }
      requests += 1;
      const done = (): void => {
        settled += 1;
      };
      rig.get({ timeoutMs: 4_000 }).then(done, done);
      if (random() < 0.3) rig.exchange.inject(oneOf(FAULTS, random));
      if (random() < 0.3) oneOf(strikes, random)();
      await rig.pass(Math.floor(random() * 15_000));
    }
    rig.exchange.clearFaults();
    rig.network.relieve();
    await rig.pass(300_000);
    for (const { ear, socket } of all) {
      ear.isTerminated = true;
      socket.terminate();
    }
    await rig.pass(300_000);
    expect(all.flatMap(({ ear }) => ear.faults)).toEqual([]);
    expect(new Set(all.map(({ ear }) => ear.end?.code)).size).toBeGreaterThan(3);
    expect([settled, rig.exchange.sockets(), rig.network.openSockets(rig.life)]).toEqual([requests, 0, 0]);
    expect([rig.life.timers, rig.network.connections, rig.world.pending]).toEqual([0, 0, 0]);
    await rig.close();
  },
);
