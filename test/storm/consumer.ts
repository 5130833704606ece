/** A consumer as people write them: one reads an iterator and stalls, one is a listener that throws. */
import { setTimeout as sleep } from 'node:timers/promises';
import { seriesKey } from '../../machines/model/kline.ts';
import type { BinanceDataCollector, Candle } from '../../src/index.ts';
import { barName, type Violation } from '../oracle/evidence.ts';

export class Consumer {
  readonly ended: Promise<void>;
  readonly #read: Candle[] = [];
  #stalledUntil = 0;
  #throws = 0;

  constructor(collector: BinanceDataCollector) {
    collector.on('candle', () => {
      if (this.#throws-- > 0) throw new Error('a consumer throws');
    });
    this.ended = this.#follow(collector.candles());
  }

  /** What befalls this process. */
  suffer(fault: { readonly kind: string; readonly forMs?: unknown; readonly times?: unknown }): void {
    const forMs = Number(fault.forMs ?? 0);
    if (fault.kind === 'stall') this.#stalledUntil = performance.now() + forMs;
    if (fault.kind === 'throw') this.#throws = Number(fault.times);
    if (fault.kind === 'freeze') for (const end = performance.now() + forMs; performance.now() < end; );
  }

  /** What the iterator gave out, series by series, that the event did not, or in another order. */
  differences(told: readonly Candle[]): Violation[] {
    const [read, heard] = [bySeries(this.#read), bySeries(told)];
    return [...heard].flatMap(([key, candles]): Violation[] => {
      const others = read.get(key) ?? [];
      const at = candles.findIndex((candle, index) => others[index]?.openTime !== candle.openTime);
      if (at < 0 && others.length === candles.length) return [];
      const detail = at < 0 ? `${key}: ${others.length} read, ${candles.length} told` : barName(candles[at]!);
      return [{ invariant: 'once', name: 'the iterator differs from the event', detail }];
    });
  }

  async #follow(candles: AsyncIterable<Candle>): Promise<void> {
    for await (const candle of candles) {
      this.#read.push(candle);
      const left = this.#stalledUntil - performance.now();
      if (left > 0) await sleep(left);
    }
  }
}

const bySeries = (candles: readonly Candle[]): Map<string, Candle[]> => Map.groupBy(candles, seriesKey);
