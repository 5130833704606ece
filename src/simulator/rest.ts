import { REST_PATHS, USED_WEIGHT_HEADER } from '../binance/venue.ts';
import { exchangeInfo } from './exchange-info.ts';
import type { FaultOf } from './fault-shapes.ts';
import type { FaultBoard } from './faults.ts';
import { type KlinesQuery, klinesRows, readKlinesQuery, restRow } from './klines.ts';
import type { Market } from './market.ts';
import type { Roster } from './roster.ts';
import type { WireBar } from './units.ts';
import { type Ban, measuredKlinesWeight, retryAfterOf, type WeightMeter } from './weight.ts';

export interface RestPorts {
  readonly now: () => number;
  readonly market: Market;
  readonly roster: Roster;
  readonly faults: FaultBoard;
  readonly weight: WeightMeter;
}

/** An HTTP answer. */
export interface Answer {
  readonly status: number;
  readonly body: string | Uint8Array;
  readonly type: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly weight?: number;
}

export const JSON_TYPE = 'application/json;charset=UTF-8';

/** An answer in JSON. */
export const json = (status: number, value: unknown, headers: Record<string, string> = {}): Answer => ({
  status,
  body: JSON.stringify(value),
  type: JSON_TYPE,
  headers,
});

/** Answers REST. Books the weight first, since refused requests cost as well. */
export async function answerRest(ports: RestPorts, url: URL): Promise<Answer> {
  const { weight: meter } = ports;
  const params = url.searchParams;
  const isKlines = url.pathname === REST_PATHS.klines;
  if (!isKlines && !Object.values<string>(REST_PATHS).includes(url.pathname)) {
    return json(404, { code: -1000, msg: `Path ${url.pathname}, Method GET is invalid` });
  }
  const limit = params.get('limit');
  const weight = isKlines ? measuredKlinesWeight(limit === null ? undefined : Number(limit) || 0) : 1;
  const verdict = meter.book(weight);
  const headers = { [USED_WEIGHT_HEADER.toUpperCase()]: String(meter.used) };
  const ban = meter.ban;
  if (verdict === 'banned' && ban) return { ...banned(ban, headers), weight };
  if (verdict === 'limited') return { ...limited(meter, headers), weight };
  const now = ports.now();
  if (isKlines) {
    const query = readKlinesQuery((symbol) => ports.roster.find(symbol), params);
    if ('code' in query) return { ...json(400, query, headers), weight };
    const rows = await faultyRows(ports, query, now);
    return { ...json(200, rows.map(restRow), headers), weight };
  }
  if (url.pathname === REST_PATHS.time) return { ...json(200, { serverTime: now }, headers), weight };
  if (url.pathname === REST_PATHS.ping) return { ...json(200, {}, headers), weight };
  return { ...json(200, exchangeInfo(ports.roster.listed(), now, meter.limit), headers), weight };
}

function limited(meter: WeightMeter, headers: Record<string, string>): Answer {
  const msg =
    `Too many requests; current limit of IP(127.0.0.1) is ${meter.limit} requests per minute. ` +
    'Please use the websocket for live updates to avoid polling the API.';
  return json(429, { code: -1003, msg }, { ...headers, 'Retry-After': String(meter.retryAfter()) });
}

/** Source of the text: recorded answers, see `-1003` in the error codes of 2026-05-28. */
function banned(ban: Ban, headers: Record<string, string>): Answer {
  const until = ban.text ? ` until ${ban.until}` : '';
  const msg =
    `Way too many requests; IP(127.0.0.1) banned${until}. ` +
    'Please use the websocket for live updates to avoid bans.';
  return json(418, { code: -1003, msg }, { ...headers, ...retryAfterOf(ban) });
}

/** The rows of klines, as the faults `lag` and `absent` leave them. */
async function faultyRows(
  { market, faults }: RestPorts,
  query: KlinesQuery,
  now: number,
): Promise<WireBar[]> {
  const struck = new Set<FaultOf<'lag'> | FaultOf<'absent'>>();
  const lag = faults.find('lag');
  const stale = lag?.show === 'open' ? lag.lagMs : 0;
  if (lag && stale > 0) struck.add(lag);
  const missing = faults.all('absent').filter(({ symbol, interval }) => {
    const means = interval === undefined || interval === query.interval;
    return means && symbol === query.source.info.symbol;
  });
  const lacks = (openTime: number, endTime: number): boolean => {
    const late = lag !== undefined && stale === 0 && endTime <= now && now < endTime + lag.lagMs;
    const fault = late ? lag : missing.find(({ from, to }) => from <= openTime && openTime <= to);
    if (fault) struck.add(fault);
    return fault !== undefined;
  };
  const rows = await klinesRows(market, query, now - stale, lacks);
  for (const fault of struck) faults.take(fault.kind, (it) => it === fault);
  return rows;
}
