/** Lets a planned fault happen: each act at its time, to whom it is meant for. */
import type { Truth } from '../../../src/simulator/index.ts';
import type { Act, DiskFault, ExchangeFault, NetworkFault, PlannedFault, ProcessFault } from '../plan.ts';
import type { Stage } from '../stage.ts';
import { COMMIT_MS, type Theatre, USUAL_LATENCY } from '../theatre.ts';

const MINUTE = 60_000;
const DISK_BROKEN = new Error('disk I/O error');

/** Plans every act of it. Acts that are due after the last fault has ended do not happen. */
export function schedule(theatre: Theatre, stage: Stage, planned: PlannedFault): void {
  for (const act of planned.acts)
    theatre.world.setTimeout(
      () => {
        if (stage.isCalm) return;
        const hasStruck = strike(theatre, stage, act);
        theatre.trace.add('fault', `${planned.row} ${hasStruck ? '' : 'in vain '}${JSON.stringify(act)}`);
        if (hasStruck) stage.noteFault(planned.row, act);
      },
      planned.atMs + (act.afterMs ?? 0) - theatre.world.now(),
    );
}

/** False when it could not be, as things are. */
function strike(theatre: Theatre, stage: Stage, act: Act): boolean {
  switch (act.on) {
    case 'exchange':
      return strikeExchange(theatre, act.fault);
    case 'network':
      return strikeNetwork(theatre, act.fault);
    case 'disk':
      return strikeDisk(theatre, act.fault);
    case 'process':
      return strikeProcess(theatre, stage, act.fault);
    case 'consumer':
      stage.tenant?.consumers.suffer(act.fault);
      return stage.tenant !== undefined;
  }
}

function strikeExchange(theatre: Theatre, relative: ExchangeFault): boolean {
  const { exchange, hidden, untruths } = theatre;
  const now = exchange.now();
  const minute = now - (now % MINUTE);
  const fault =
    'from' in relative && 'to' in relative
      ? ({ ...relative, from: minute + relative.from, to: minute + relative.to } as ExchangeFault)
      : relative;
  if (fault.kind === 'revise') {
    // What has been compared already, and what a halted symbol had long ago, is nobody's promise.
    const last = lastOver(exchange.truth, fault.symbol, fault.interval, now);
    if (last === undefined) return false;
    untruths.add({ symbol: fault.symbol, interval: fault.interval, openTime: last });
  }
  if (!theatre.attempt(fault)) return false;
  hidden.note(fault);
  if (fault.kind === 'weight') theatre.weightFaultAt = theatre.world.now();
  return true;
}

/** The bar before the present one, if there is one. */
function lastOver(
  truth: Truth,
  symbol: string,
  interval: Parameters<Truth['forming']>[1],
  now: number,
): number | undefined {
  const forming = truth.forming(symbol, interval, now);
  const before = forming && truth.forming(symbol, interval, forming.openTime - 1);
  return before?.openTime;
}

function strikeNetwork({ network, world, exchange }: Theatre, fault: NetworkFault): boolean {
  switch (fault.kind) {
    case 'clog':
      network.clog('all', fault.forMs);
      return true;
    case 'cut':
      network.cutOff(fault.forMs);
      return true;
    case 'dns':
      network.dnsFails(fault.forMs);
      return true;
    case 'unreachable':
      network.refuseConnections(fault.forMs);
      return true;
    case 'blackhole':
      network.blackhole('all');
      return true;
    case 'slow':
      network.setLatency(fault.latencyMs, fault.jitterMs);
      world.setTimeout(() => network.setLatency(...USUAL_LATENCY), fault.forMs);
      return true;
    case 'swizzle':
      for (const [index, { socket }] of exchange.connections().entries()) {
        const { offsetsMs, timesMs } = fault;
        world.setTimeout(
          () => network.clog([socket], timesMs[index % timesMs.length]!),
          offsetsMs[index % offsetsMs.length]!,
        );
      }
      return true;
  }
}

function strikeDisk(theatre: Theatre, fault: DiskFault): boolean {
  const { disk, world } = theatre;
  theatre.diskFaultAt = world.now();
  if (fault.kind === 'full') disk.failNext(fault.times);
  if (fault.kind === 'broken') disk.failNext(fault.times, DISK_BROKEN);
  if (fault.kind === 'lost') disk.loseNext(fault.times);
  if (fault.kind !== 'slow') return true;
  disk.commitMs = fault.commitMs;
  theatre.diskFaultAt = world.now() + fault.forMs;
  world.setTimeout(() => {
    disk.commitMs = COMMIT_MS;
  }, fault.forMs);
  return true;
}

function strikeProcess(theatre: Theatre, stage: Stage, fault: ProcessFault): boolean {
  const { tenant } = stage;
  if (tenant === undefined || tenant.isOver) return false;
  switch (fault.kind) {
    case 'freeze':
    case 'sleep':
      // Calm is when nobody sleeps any more.
      tenant.standStill(fault.kind, Math.min(fault.ms, stage.calmAt - theatre.world.now()));
      return true;
    case 'step':
      tenant.life.stepWall(fault.ms);
      return true;
    case 'late':
      tenant.life.setLateness(fault.ms);
      theatre.latenessMs = fault.ms;
      theatre.world.setTimeout(() => {
        tenant.life.setLateness(0);
        theatre.latenessMs = 0;
      }, fault.forMs);
      return true;
    case 'kill':
    case 'power':
      tenant.kill();
      stage.goOnAfter(fault.downMs);
      if (fault.kind === 'power') theatre.disk.powerLoss(fault.lostMs);
      return true;
    case 'stop':
      if (tenant.stopping !== undefined) return false;
      tenant.stop(fault.how);
      stage.goOnAfter(fault.downMs);
      return true;
  }
}
