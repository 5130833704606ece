import { fromCallback } from 'xstate';
import type { SymbolsChanged } from '../../machines/collector.types.ts';
import type { KlineStreamInput } from '../../machines/kline-stream.machine.ts';
import type { Interval } from '../../machines/model/interval.ts';
import { exchangeInfoRequest } from '../binance/rest.ts';
import { type ListedSymbol, readSymbols } from '../binance/symbols.ts';
import type { Clock, Logger, Random, Timer } from '../ports.ts';
import type { ExchangeClock } from '../transport/exchange-clock.ts';
import type { RestPort } from './rest-port.ts';
import { type Roster, type RosterChange, retirements } from './roster.ts';

export interface WatchSymbolsPorts {
  readonly rest: RestPort;
  readonly clock: Clock;
  readonly random: Random;
  readonly exchangeClock: ExchangeClock;
  readonly logger: Logger;
  readonly roster: Roster;
  readonly intervals: readonly Interval[];
  /** Between two readings of the list, wall ms; a tenth more or less. */
  readonly pollMs: number;
  /** Makes ready for the streams of a symbol. */
  readonly admit: (listed: ListedSymbol) => readonly KlineStreamInput[];
}

/** From an event that the list has not confirmed to the next reading, wall ms: others may follow it. */
const EARLY_MS = 1_000;
/** Between two readings that events ask for, wall ms: however many events come. */
const EARLY_SPACING_MS = 10_000;
/** After a reading that failed or is not believed, wall ms. */
const RETRY_MS = 15_000;
/** Of a pause, how much chance may take away or add: many collectors are not to ask together. */
const JITTER = 0.1;

/** Follows which symbols the exchange lists: by reading the list every few minutes, and by events in between. */
export const watchSymbolsActor = (ports: WatchSymbolsPorts) =>
  fromCallback(({ sendBack }) => {
    const { clock, exchangeClock, roster, pollMs } = ports;
    const over = new AbortController();
    let timer: Timer | undefined;
    let dueAt = Number.POSITIVE_INFINITY;
    let askedAt = Number.NEGATIVE_INFINITY;

    const tell = (change: RosterChange | undefined): void => {
      const event = change === undefined ? undefined : eventOf(change, ports);
      if (event !== undefined) sendBack(event);
    };
    const within = (ms: number): void => {
      const at = clock.now() + ms;
      if (at >= dueAt) return;
      clock.clearTimeout(timer);
      dueAt = at;
      timer = clock.setTimeout(() => void look(), ms);
    };
    const early = (): void =>
      within(
        Math.max(Math.min(EARLY_MS, pollMs), askedAt + Math.min(EARLY_SPACING_MS, pollMs) - clock.now()),
      );
    /** The end of a contract whose delivery is known is looked up when it comes. */
    const untilDelivery = (): number => {
      const now = exchangeClock.now();
      const left = ((roster.nextDelivery(now) ?? Number.POSITIVE_INFINITY) - now) / exchangeClock.timeScale;
      return Math.max(Math.min(EARLY_MS, pollMs), left);
    };
    const look = async (): Promise<void> => {
      askedAt = clock.now();
      const isRead = await read();
      if (over.signal.aborted) return;
      dueAt = Number.POSITIVE_INFINITY;
      const steady = pollMs * (1 - JITTER + 2 * JITTER * ports.random());
      within(Math.min(isRead ? steady : Math.min(RETRY_MS, pollMs), untilDelivery()));
      if (roster.isUnsettled) early();
    };
    /** One reading; false when it has to be repeated soon. */
    const read = async (): Promise<boolean> => {
      try {
        const listed = readSymbols(await ports.rest.ask(exchangeInfoRequest, over.signal));
        if (!roster.believes(listed)) {
          ports.logger.warn('the exchange lists suddenly less than half of its symbols; asking again', {
            symbols: listed.length,
          });
          return false;
        }
        tell(roster.update(listed, exchangeClock.now()));
        return true;
      } catch (error) {
        if (over.signal.aborted) return false;
        ports.logger.warn('the list of symbols could not be read', {
          reason: error instanceof Error ? error.message : String(error),
          retryMs: Math.min(RETRY_MS, pollMs),
        });
        return false;
      }
    };

    roster.onEvent = (listed) => {
      tell(roster.hear(listed, exchangeClock.now()));
      if (roster.isUnsettled) early();
    };
    roster.onDoubt = early;
    within(Math.min(pollMs * (1 - JITTER + 2 * JITTER * ports.random()), untilDelivery()));
    return () => {
      roster.onEvent = undefined;
      roster.onDoubt = undefined;
      over.abort();
      clock.clearTimeout(timer);
    };
  });

/** A change as the collector's chart takes it; undefined when there is none. */
function eventOf(change: RosterChange, ports: WatchSymbolsPorts): SymbolsChanged | undefined {
  const { start, retire, news } = change;
  if (start.length === 0 && retire.length === 0 && news.length === 0) return undefined;
  return {
    type: 'SYMBOLS.CHANGED',
    add: start.flatMap(ports.admit),
    retire: retirements(retire, ports.intervals),
    news,
  };
}
