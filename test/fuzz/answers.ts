/** Fuzzing of REST answers: kline rows against `JSON.parse`, and answers of any status and body. */
import { readFileSync } from 'node:fs';
import { BLOCK_FIELDS, type CandleBlock } from '../../machines/model/block.ts';
import { readKlineRows } from '../../src/binance/kline-rows.ts';
import { readImposed, readWeightLimit } from '../../src/binance/patience.ts';
import { readAnswer, readArrayBytes, readServerTime } from '../../src/binance/rest.ts';
import { readSymbols } from '../../src/binance/symbols.ts';
import { ExchangeError } from '../../src/errors.ts';
import type { HttpAnswer } from '../../src/ports.ts';
import { fixturesMissing, shared } from '../support/fixtures.ts';
import { oneOf } from '../support/seeded.ts';
import { mutateBytes, upTo } from './bytes.ts';
import { type BytesPart, type Verdict, Wrong } from './campaign.ts';
import { inventDecimal } from './frames.corpus.ts';
import { mutateJson } from './json.ts';
import { nearestDouble } from './nearest.ts';

type Random = () => number;
export type RowsRead = (bytes: Buffer) => CandleBlock;

const SERIES = { symbol: 'BTCUSDT', interval: '1m' } as const;
const readRows: RowsRead = (bytes) => readKlineRows(SERIES, bytes);

const PLAIN_FIELDS: ReadonlySet<string> = new Set(['openTime', 'closeTime', 'count']);
const isWhole = (value: unknown): boolean =>
  typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER && value % 1 === 0;

const parsed = (bytes: Buffer): unknown => JSON.parse(bytes.toString('utf8'));
function parsedOr<Other>(bytes: Buffer, other: Other): unknown | Other {
  try {
    return parsed(bytes);
  } catch {
    return other;
  }
}

/** Rows of a body that is an array of klines; undefined for any other. */
function referenceRows(bytes: Buffer): unknown[][] | undefined {
  const body = parsedOr(bytes, undefined);
  if (!Array.isArray(body)) return undefined;
  const rows = body.map((row: unknown) => {
    if (!Array.isArray(row)) return undefined;
    const values = BLOCK_FIELDS.map((field, index) =>
      PLAIN_FIELDS.has(field) ? (isWhole(row[index]) ? row[index] : Number.NaN) : nearestDouble(row[index]),
    );
    return values.every(Number.isFinite) ? values : undefined;
  });
  return rows.every((row) => row !== undefined) ? rows : undefined;
}

/** What it gives, or the error of ours that it throws. */
function outcome<Result>(read: () => Result): Result | ExchangeError {
  try {
    return read();
  } catch (error) {
    if (error instanceof ExchangeError && typeof error.code === 'string' && error.code !== '') return error;
    throw error;
  }
}

function checkRows(bytes: Buffer, read: RowsRead): Verdict {
  const right = referenceRows(bytes);
  const got = outcome(() => read(bytes));
  if (got instanceof ExchangeError) {
    if (got.code !== 'HTTP_MALFORMED') throw new Wrong(`refused as ${got.code}`);
    if (right !== undefined) throw new Wrong('sound rows are refused');
    return 'refused';
  }
  if (right === undefined) throw new Wrong('rows that are not sound are taken');
  if (got.rows !== right.length) throw new Wrong(`another number of rows: ${got.rows}, not ${right.length}`);
  for (const [index, row] of right.entries())
    for (const [column, field] of BLOCK_FIELDS.entries())
      if (!Object.is(got.columns[field][index], row[column])) throw new Wrong(`another ${field}`);
  return 'accepted';
}

function inventRows(random: Random): string {
  const from = 60_000 * upTo(30_000_000, random);
  const decimal = (): string => inventDecimal(random);
  const rows = Array.from({ length: upTo(4, random) }, (_, index) => {
    const openTime = from + index * 60_000;
    const shape = [decimal(), decimal(), decimal(), decimal(), decimal()];
    return [
      openTime,
      ...shape,
      openTime + 59_999,
      decimal(),
      upTo(10_000, random),
      decimal(),
      decimal(),
      '0',
    ];
  });
  return JSON.stringify(rows);
}

export function rowsPart(read: RowsRead = readRows): BytesPart {
  const sample = fixturesMissing
    ? '[]'
    : readFileSync(shared('fixtures/samples/rest-klines-btcusdt-1m-limit2.json'), 'utf8');
  const seedOf = (random: Random): string => (random() < 0.8 ? inventRows(random) : sample);
  return {
    target: 'archive',
    kind: 'bytes',
    name: 'kline rows',
    share: 320,
    draw(random) {
      const text = seedOf(random);
      const dice = random();
      if (dice < 0.02) return Buffer.from(text);
      if (dice < 0.5) return Buffer.from(mutateJson(JSON.parse(text), random));
      return mutateBytes(Buffer.from(text), random, () => Buffer.from(seedOf(random)));
    },
    check: (bytes) => checkRows(bytes, read),
  };
}

const STATUSES = [200, 200, 200, 400, 401, 403, 404, 418, 429, 451, 500, 502, 503, 504] as const;
const WAITS = [
  '',
  '0',
  '-1',
  '30',
  '1e9',
  '9'.repeat(400),
  'Sat, 22 Nov 2025 00:00:00 GMT',
  'soon',
  '\x01',
  '1.5',
];
const BODIES = [
  '{"serverTime":1791382992723}',
  '{"symbols":[{"symbol":"BTCUSDT","status":"TRADING","contractType":"PERPETUAL","onboardDate":1569398400000,"deliveryDate":4133404800000}],"rateLimits":[{"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE","intervalNum":1,"limit":2400}]}',
  '{"code":-1121,"msg":"Invalid symbol."}',
  '{"code":-1003,"msg":"Way too many requests; IP banned until 1544570770441. Please use the websocket for live updates to avoid bans."}',
  '[[1791382920000,"83137.90"]]',
];

/** The first byte says which status, the second which `Retry-After`; the rest is the body. */
function answerOf(bytes: Buffer): HttpAnswer {
  const body = bytes.subarray(2);
  const wait = WAITS[(bytes[1] ?? 0) % WAITS.length] as string;
  const text = body.toString('utf8');
  const headers = {
    get: (name: string) => (name.toLowerCase() === 'retry-after' && wait !== '' ? wait : null),
  };
  return { status: STATUSES[(bytes[0] ?? 0) % STATUSES.length] as number, headers, bytes: body, text };
}

const PATH = '/any';
const NOW = 1_791_382_992_000;

function checkAnswer(bytes: Buffer): Verdict {
  const answer = answerOf(bytes);
  const none = Symbol('no JSON');
  const right = parsedOr(Buffer.from(answer.bytes), none);
  const isGood = answer.status === 200 && right !== none;
  const body = outcome(() => readAnswer(answer, PATH, NOW));
  if (body instanceof ExchangeError !== !isGood)
    throw new Wrong(isGood ? 'a good answer is refused' : 'a bad answer is taken');
  if (body instanceof ExchangeError) checkRefusal(body, answer);
  const array = outcome(() => readArrayBytes(answer, PATH, NOW));
  // By the look of it: what is in it is for who reads the rows.
  const isRows = isGood && Array.isArray(right) && right.every(Array.isArray);
  if (isRows && array instanceof ExchangeError) throw new Wrong('an array of arrays is refused');
  if (!(array instanceof ExchangeError) && answer.status !== 200) throw new Wrong('rows of a bad answer');
  const imposed = readImposed(answer, PATH, NOW);
  if (imposed !== undefined && !(imposed.forMs >= 0 && Number.isFinite(imposed.forMs)))
    throw new Wrong('a pause without a length');
  if (!isGood) return 'refused';
  const time = outcome(() => readServerTime(right));
  if (!(time instanceof ExchangeError) && !(isWhole(time) && time > 0))
    throw new Wrong('a time that is none');
  const limit = readWeightLimit(right);
  if (limit !== undefined && !(limit >= 1 && Number.isFinite(limit))) throw new Wrong('a limit that is none');
  const listed = outcome(() => readSymbols(right));
  if (listed instanceof ExchangeError) return 'refused';
  for (const one of listed)
    if (
      typeof one.symbol !== 'string' ||
      typeof one.status !== 'string' ||
      typeof one.contractType !== 'string' ||
      !isWhole(one.onboardDate) ||
      !isWhole(one.deliveryDate)
    )
      throw new Wrong('a listed symbol of the wrong types');
  return 'accepted';
}

function checkRefusal(error: ExchangeError, { status }: HttpAnswer): void {
  if (error.status !== status)
    throw new Wrong(`an error of status ${error.status} for an answer of ${status}`);
  if (!(error.retryAfterMs >= 0 && Number.isFinite(error.retryAfterMs)))
    throw new Wrong('a wait without a length');
}

export function answersPart(): BytesPart {
  const corpus = BODIES.map((text) => Buffer.from(text));
  return {
    target: 'archive',
    kind: 'bytes',
    name: 'answer',
    share: 100,
    draw(random) {
      const text = oneOf(BODIES, random);
      const mutated = random() < 0.6 ? Buffer.from(mutateJson(JSON.parse(text), random)) : Buffer.from(text);
      const body = random() < 0.5 ? mutated : mutateBytes(mutated, random, () => oneOf(corpus, random));
      return Buffer.concat([Buffer.from([upTo(256, random), upTo(256, random)]), body]);
    },
    check: checkAnswer,
  };
}
