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

export class Consumers {
  readonly #ports: ConsumerPorts;
  #throws = 0;
  #stalledUntil = 0;
  #leaves = false;
  #isReading = false;
  /** Where the reader is, by series. */
  #last = new Map<string, number>();
  /** Readers that have come to their end. */
  ended: Promise<void> = Promise.resolve();

  constructor(ports: ConsumerPorts) {
    this.#ports = ports;
    ports.collector.on('candle', () => {
      if (this.#throws-- > 0) throw new Error('a consumer throws');
    });
    ports.collector.on('gap', () => {
      if (this.#throws-- > 0) throw new Error('a consumer throws');
    });
  }

  /** Reads from now on, behind whatever the reader before has read. */
  read(): void {
    if (this.#isReading) return;
    this.#isReading = true;
    this.ended = this.#follow().then(
      () => {
        this.#isReading = false;
      },
      (error: unknown) => {
        this.#isReading = false;
        this.#ports.violations.add('I2', 'an iterator failed', String(error));
      },
    );
  }

  suffer(fault: ConsumerFault): void {
    if (fault.kind === 'throw') this.#throws = fault.times;
    if (fault.kind === 'stall') this.#stalledUntil = this.#ports.world.now() + fault.forMs;
    if (fault.kind === 'leave') this.#leaves = true;
  }

  /** After a stop: nothing that was told was kept from a reader who had never left. */
  missed(): string | undefined {
    // Who does something else for longer than the stop took has not been kept from anything.
    if (this.#leaves || this.#stalledUntil > this.#ports.world.now()) return undefined;
    if (this.#isReading) return 'a reader that does not come to its end';
    for (const [key, opens] of this.#ports.told().candles) {
      const last = opens.at(-1);
      if (last !== undefined && this.#last.get(key) !== last)
        return `${key}: its last bar was told and not read`;
    }
    return undefined;
  }

  async #follow(): Promise<void> {
    const { collector } = this.#ports;
    for await (const candle of collector.candles()) {
      this.#take(candle);
      if (this.#leaves) break;
      await this.#stall();
    }
  }

  #take(candle: Candle): void {
    const key = seriesKey(candle);
    const last = this.#last.get(key);
    if (last !== undefined && candle.openTime <= last)
      this.#ports.violations.add('I2', 'an iterator goes back', barName(candle));
    this.#last.set(key, candle.openTime);
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
