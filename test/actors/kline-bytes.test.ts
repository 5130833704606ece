/** Klines that are asked for as bytes: given as they came, and tried again when they are none. */
import { expect, test } from 'vitest';
import { candlesIn } from '../../machines/model/block.ts';
import { readKlineRows } from '../../src/binance/kline-rows.ts';
import { klineRowsRequest, klinesRequest, readKlines } from '../../src/binance/rest.ts';
import { type Reply, says, scriptedHttp, sessionOn, TOO_MANY, WAF_PAGE } from '../support/scripted-http.ts';
import { within } from '../support/wait.ts';

const SERIES = { symbol: 'BTCUSDT', interval: '1m' } as const;
const T = 1_791_382_920_000;
const ROWS = Array.from({ length: 3 }, (_, index) => {
  const openTime = T + index * 60_000;
  return [openTime, '1.50', '2', '1', '1.7', '10.000', openTime + 59_999, '15', index, '5', '7.5', '0'];
});
const TEXT = JSON.stringify(ROWS);
const FINE = says(200, TEXT);
const PAGE = klineRowsRequest(SERIES, T, 3, 'background');

test('a page is the bytes of the body, which hold the bars that parsing gives', async () => {
  const server = await scriptedHttp(FINE);
  const { rest } = sessionOn(server.url);
  const body = await rest.ask(PAGE);
  expect(body).toBeInstanceOf(Uint8Array);
  expect(Buffer.from(body as Uint8Array).toString()).toBe(TEXT);
  const parsed = readKlines(SERIES, await rest.ask(klinesRequest(SERIES, T, 3)));
  expect([...candlesIn(readKlineRows(SERIES, body))]).toEqual(parsed);
  expect(server.arrivals[0]?.path).toBe(server.arrivals[1]?.path);
});

test.each<[string, Reply]>([
  ['HTML', says(200, WAF_PAGE)],
  ['an empty body', says(200, '')],
  ['a body cut within a row', says(200, TEXT.slice(0, 100))],
  ['a body cut behind a row', says(200, TEXT.slice(0, -1))],
  ['an object', says(200, { code: -1, msg: 'x' })],
  [
    'half of what it says',
    (response) =>
      void response.writeHead(200, { 'content-length': '999' }).write(TEXT, () => response.destroy()),
  ],
  ['503', says(503, TOO_MANY)],
])('H05 %s instead of a page is tried again', async (_, reply) => {
  const server = await scriptedHttp(reply, FINE);
  const { rest } = sessionOn(server.url);
  const body = await within('the retry', rest.ask(PAGE));
  expect(readKlineRows(SERIES, body).rows).toBe(3);
  expect(server.arrivals).toHaveLength(2);
});

test('a page that is refused for good is refused with what the exchange says of it', async () => {
  const server = await scriptedHttp(says(400, { code: -1121, msg: 'Invalid symbol.' }));
  const { rest } = sessionOn(server.url);
  await expect(rest.ask(PAGE)).rejects.toMatchObject({ code: '-1121', status: 400, retryable: false });
  expect(server.arrivals).toHaveLength(1);
});
