/** Who listens to a collector: one who may throw, one who reads an iterator and may lag or leave. */
import { seriesKey } from '../../machines/model/kline.ts';
import type { BinanceDataCollector, Candle } from '../../src/index.ts';
import { barName } from '../oracle/evidence.ts';
import type { ToldBars } from './check/bars.ts';
import type { Violations } from './check/violations.ts';
import type { ConsumerFault } from './plan.ts';
import type { Life } from './world/life.ts';
import type { WorldClock } from './world/world-clock.ts';

export interface ConsumerPorts {
  readonly collector: BinanceDataCollector;
  readonly world: WorldClock;
  readonly life: Life;
  readonly told: () => ToldBars;
  readonly violations: Violations;
}

/** One who reads, from one start of a collector to the stop that follows. */
class Reader {
  /** Where it is, by series. */
  readonly last = new Map<string, number>();
  isOver = false;
  leaves = false;
}

export class Consumers {
  readonly #ports: ConsumerPorts;
  #throws = 0;
  #stalledUntil = 0;
  /** Of the newest run. Who was busy over a stop and the next start is at its end when it looks again. */
  #reader: Reader | undefined;

  constructor(ports: ConsumerPorts) {
    this.#ports = ports;
    ports.collector.on('candle', () => {
      if (this.#throws-- > 0) throw new Error('a consumer throws');
    });
    ports.collector.on('gap', () => {
      if (this.#throws-- > 0) throw new Error('a consumer throws');
    });
  }

  /** A run begins, and somebody reads it to its end. */
  begin(): void {
    const reader = new Reader();
    this.#reader = reader;
    this.#follow(reader).then(
      () => {
        reader.isOver = true;
      },
      (error: unknown) => {
        reader.isOver = true;
        this.#ports.violations.add('I2', 'an iterator failed', String(error));
      },
    );
  }

  suffer(fault: ConsumerFault): void {
    if (fault.kind === 'throw') this.#throws = fault.times;
    if (fault.kind === 'stall')
      this.#stalledUntil = Math.max(this.#stalledUntil, this.#ports.world.now() + fault.forMs);
    if (fault.kind === 'leave' && this.#reader !== undefined) this.#reader.leaves = true;
  }

  /** After a stop: nothing that was told was kept from a reader who had never left. */
  missed(): string | undefined {
    const reader = this.#reader;
    // Who does something else for longer than the stop took has not been kept from anything.
    if (reader === undefined || reader.leaves || this.#stalledUntil > this.#ports.world.now())
      return undefined;
    if (!reader.isOver) return 'a reader that does not come to its end';
    for (const [key, opens] of this.#ports.told().candles) {
      const last = opens.at(-1);
      if (last !== undefined && reader.last.get(key) !== last)
        return `${key}: its last bar was told and not read`;
    }
    return undefined;
  }

  async #follow(reader: Reader): Promise<void> {
    const { collector } = this.#ports;
    for await (const candle of collector.candles()) {
      this.#take(reader, candle);
      if (reader.leaves) break;
      await this.#stall();
    }
  }

  #take({ last }: Reader, candle: Candle): void {
    const key = seriesKey(candle);
    const before = last.get(key);
    if (before !== undefined && candle.openTime <= before)
      this.#ports.violations.add('I2', 'an iterator goes back', barName(candle));
    this.#ports.told().read(candle, before);
    last.set(key, candle.openTime);
  }

  /** Not by the timers of its process: those are counted. */
  async #stall(): Promise<void> {
    const { world, life } = this.#ports;
    const leftMs = this.#stalledUntil - world.now();
    if (leftMs <= 0) return;
    await new Promise<void>((resolve) => {
      world.setTimeout(() => life.deliver(resolve), leftMs);
    });
  }
}
