import { nextOpenTime } from '../../machines/model/interval.ts';
import type { Series } from '../../machines/model/kline.ts';
import { klinesRequest, readKlines } from '../binance/rest.ts';
import type { Instant } from '../pipeline/audits.ts';
import type { GapQuestion, OpenGaps } from '../pipeline/open-gaps.ts';
import type { RowBuffer } from '../pipeline/row-buffer.ts';
import type { ExchangeClock } from '../transport/exchange-clock.ts';
import { askInBackground, type BackgroundPorts } from './ask-in-background.ts';
import { certain } from './audit-bars.ts';
import type { RestPort } from './rest-port.ts';

export interface RecheckPorts extends BackgroundPorts {
  readonly rest: RestPort;
  readonly exchangeClock: ExchangeClock;
  readonly rows: RowBuffer;
  readonly openGaps: OpenGaps;
  readonly isCollected: (series: Series) => boolean;
}

const TICK_MS = 500;
/** A page may weigh ten: so no more than a page a second. */
const SPACING_MS = 1_000;

/** Asks REST again for bars that it lacked: what turns up fills the gap. */
export const recheckGapsActor = (ports: RecheckPorts) => {
  const { openGaps, clock, exchangeClock } = ports;
  const at = (): Instant => ({ now: clock.now(), exchangeNow: exchangeClock.now() });
  return askInBackground<GapQuestion>(ports, {
    tickMs: TICK_MS,
    spacingMs: SPACING_MS,
    complaint: 'bars of a gap could not be asked for again',
    next: () => openGaps.next(clock.now(), ports.isCollected),
    ask: async (question, signal) => {
      const { gap, rows } = question;
      const sentAt = clock.now();
      const request = klinesRequest(gap, gap.fromOpenTime, rows + 1);
      // With an end, a gap of a year that is still one costs one empty answer; one row more tells that it is final.
      const params = { ...request.params, endTime: nextOpenTime(gap.interval, gap.toOpenTime) };
      const body = await ports.rest.ask({ ...request, params, priority: 'background' }, signal);
      const candles = readKlines({ symbol: gap.symbol, interval: gap.interval }, body);
      const isCut = candles.length >= Number(request.params['limit']);
      const told = certain(candles, exchangeClock.earliestAt(sentAt));
      openGaps.answered(question, told, isCut, at(), (row) => ports.rows.offer(row));
    },
    failed: (question) => openGaps.failed(question, clock.now()),
  });
};
