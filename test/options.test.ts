import { describe, expect, test } from 'vitest';
import { DEFAULT_TIMING } from '../machines/connection.types.ts';
import { INTERVALS } from '../machines/model/interval.ts';
import { HOSTS } from '../src/binance/venue.ts';
import { ConfigurationError } from '../src/errors.ts';
import { type CollectorOptions, redact, resolveOptions } from '../src/options.ts';

const LEAST = { symbols: ['BTCUSDT'], intervals: ['1m'] } as const;
const LOCAL = { wsUrl: 'ws://127.0.0.1:1234', restUrl: 'http://127.0.0.1:1234' };
const CANARY = 'canary-9f3b1c';

function refusalOf(input: unknown): ConfigurationError {
  try {
    resolveOptions(input);
  } catch (error) {
    if (error instanceof ConfigurationError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

const ws = (wsUrl: unknown): object => ({ network: { ...LOCAL, wsUrl } });
const rest = (restUrl: unknown): object => ({ network: { ...LOCAL, restUrl } });

/** Title, what differs from options that are right, the option that must be named, what the message says. */
const WRONG: readonly (readonly [string, object, string, RegExp])[] = [
  ['no symbols', { symbols: undefined }, 'symbols', /array of symbols/],
  ['an empty list of symbols', { symbols: [] }, 'symbols', /at least one/],
  ['text in place of a list of symbols', { symbols: 'BTCUSDT' }, 'symbols', /array/],
  ['all in a list', { symbols: ['all'] }, 'symbols[0]', /'all' in place of the list/],
  ['all among symbols', { symbols: ['BTCUSDT', 'ALL'] }, 'symbols[1]', /'all' in place of the list/],
  ['all in upper case', { symbols: 'ALL' }, 'symbols', /array of symbols or 'all'/],
  ['a number as symbol', { symbols: [5] }, 'symbols[0]', /letters, digits/],
  ['an empty symbol', { symbols: ['BTCUSDT', ''] }, 'symbols[1]', /letters, digits/],
  ['a blank inside of a symbol', { symbols: ['BTC USDT'] }, 'symbols[0]', /letters, digits/],
  ['a path as symbol', { symbols: ['../BTC'] }, 'symbols[0]', /letters, digits/],
  ['a line feed after a symbol', { symbols: ['BTCUSDT\n'] }, 'symbols[0]', /letters, digits/],
  ['a symbol of 31 letters', { symbols: ['A'.repeat(31)] }, 'symbols[0]', /at most 30/],
  [
    'a symbol given twice',
    { symbols: ['BTCUSDT', 'ETHUSDT', 'btcusdt'] },
    'symbols[2]',
    /symbols\[0\] already/,
  ],
  ['no intervals', { intervals: undefined }, 'intervals', /array of intervals/],
  ['an empty list of intervals', { intervals: [] }, 'intervals', /at least one/],
  ['text in place of a list of intervals', { intervals: '1m' }, 'intervals', /array/],
  ["the archive's 1mo", { intervals: ['1mo'] }, 'intervals[0]', /1M is a month, 1m is a minute/],
  ['an hour in upper case', { intervals: ['1H'] }, 'intervals[0]', /did you mean 1h\?.*Case matters/],
  ['five months', { intervals: ['5M'] }, 'intervals[0]', /did you mean 5m\?/],
  ['two months', { intervals: ['2M'] }, 'intervals[0]', /1M is a month/],
  ['an interval that is none', { intervals: ['7m'] }, 'intervals[0]', /one of 1m 3m/],
  ['an interval given twice', { intervals: ['1m', '1m'] }, 'intervals[1]', /intervals\[0\] already/],
  ['a network that is none', { network: 'main' }, 'network', /'mainnet', 'testnet', 'simulator'/],
  ['a number as network', { network: 1 }, 'network', /wsUrl and restUrl/],
  ['a list as network', { network: [] }, 'network', /wsUrl and restUrl/],
  ['null as network', { network: null }, 'network', /wsUrl and restUrl/],
  ['URLs without the one of REST', { network: { wsUrl: LOCAL.wsUrl } }, 'network.restUrl', /https:/],
  ['URLs without the one of the stream', { network: { restUrl: LOCAL.restUrl } }, 'network.wsUrl', /wss:/],
  ['a URL under a wrong name', { network: { ...LOCAL, visonUrl: 'x' } }, 'network.visonUrl', /visionUrl\?/],
  ['text that is no URL', ws('nowhere'), 'network.wsUrl', /a URL/],
  ['http for the stream', ws('http://127.0.0.1'), 'network.wsUrl', /wss: or ws:/],
  ['ws for REST', rest('ws://127.0.0.1'), 'network.restUrl', /https: or http:/],
  ['a file as REST', rest('file:///etc/passwd'), 'network.restUrl', /https: or http:/],
  ['plain ws to another host', ws('ws://example.com'), 'network.wsUrl', /of this machine/],
  ['plain http to another host', rest('http://10.0.0.1'), 'network.restUrl', /of this machine/],
  ['a host that only looks like loopback', ws('ws://127.0.0.1.example.com'), 'network.wsUrl', /this machine/],
  ['a host that begins like localhost', ws('ws://localhost.example.com'), 'network.wsUrl', /this machine/],
  ['credentials in a URL', ws('wss://user:pass@example.com'), 'network.wsUrl', /without credentials/],
  ['a path in a URL', ws('wss://example.com/ws'), 'network.wsUrl', /without a path/],
  ['a query in a URL', rest('https://example.com/?a=1'), 'network.restUrl', /without \? and #/],
  ['a fragment in a URL', rest('https://example.com#a'), 'network.restUrl', /without \? and #/],
  ['a blank in a URL', rest(' https://example.com'), 'network.restUrl', /a URL/],
  ['an origin that is none', { origin: 'moon' }, 'origin', /one of simulator/],
  ["another network's origin", { network: 'testnet', origin: 'mainnet' }, 'origin', /testnet with this/],
  ["mainnet's origin on URLs", { network: LOCAL, origin: 'mainnet' }, 'origin', /custom or simulator/],
  ['a buffer of nothing', { bufferSize: 0 }, 'bufferSize', /1 to 100000/],
  ['half a candle in the buffer', { bufferSize: 1.5 }, 'bufferSize', /1 to 100000/],
  ['a buffer above its limit', { bufferSize: 100_001 }, 'bufferSize', /1 to 100000/],
  ['text as buffer size', { bufferSize: '500' }, 'bufferSize', /whole number/],
  ['an empty path', { store: '' }, 'store', /path of a file/],
  ['a blank path', { store: '  ' }, 'store', /path of a file/],
  ["SQLite's word for memory", { store: ':memory:' }, 'store', /leave it out/],
  ['a NUL in a path', { store: 'a\0b' }, 'store', /path of a file/],
  ['a connect timeout of 0', { connectTimeoutMs: 0 }, 'connectTimeoutMs', /or 'never'/],
  ['a word as connect timeout', { connectTimeoutMs: 'forever' }, 'connectTimeoutMs', /or 'never'/],
  ['a ping interval that no timer holds', { pingIntervalMs: 2 ** 31 }, 'pingIntervalMs', /2147483647/],
  ['a negative pong timeout', { pongTimeoutMs: -1 }, 'pongTimeoutMs', /from 1/],
  ['an endless stop timeout', { stopTimeoutMs: Number.POSITIVE_INFINITY }, 'stopTimeoutMs', /2147483647/],
  ['a stop timeout that no timer holds', { stopTimeoutMs: 2 ** 31 }, 'stopTimeoutMs', /2147483647/],
  ['a time scale of 0', { network: 'simulator', timeScale: 0 }, 'timeScale', /above 0/],
  ['a time scale that is no number', { timeScale: Number.NaN }, 'timeScale', /above 0/],
  ['a time scale above its limit', { network: LOCAL, timeScale: 100_001 }, 'timeScale', /at most 100000/],
  ['scaled time on mainnet', { network: 'mainnet', timeScale: 60 }, 'timeScale', /only 1 with mainnet/],
  ['scaled time on the default network', { timeScale: 2 }, 'timeScale', /only 1 with mainnet/],
  ['scaled time on testnet', { network: 'testnet', timeScale: 0.5 }, 'timeScale', /only 1 with testnet/],
  ['a negative backfill', { backfillMs: -1 }, 'backfillMs', /from 0/],
  ['eleven years of backfill', { backfillMs: 11 * 365 * 86_400_000 }, 'backfillMs', /10 years/],
  ['sockets without a stream', { streamsPerSocket: 0 }, 'streamsPerSocket', /from 1 to 1024/],
  ['an endless pause between polls', { symbolsPollMs: 2 ** 31 }, 'symbolsPollMs', /2147483647/],
  ['a queue of nothing', { queueSize: 0 }, 'queueSize', /from 1/],
  ['a wrong name in timing', { timing: { openTimeout: 5 } }, 'timing.openTimeout', /openTimeoutMs\?/],
  ['a wrong value in timing', { timing: { silenceMs: -5 } }, 'timing.silenceMs', /from 1/],
  [
    'a wrong value in the backoff',
    { timing: { backoff: { baseMs: '1' } } },
    'timing.backoff.baseMs',
    /from 1/,
  ],
  ['a number as timing', { timing: 5 }, 'timing', /object/],
  ['a logger that can not warn', { logger: { debug() {}, info() {}, error() {} } }, 'logger', /warn/],
  ['an object as signal', { signal: { aborted: false } }, 'signal', /AbortSignal/],
  ['true as inspector', { inspect: true }, 'inspect', /function/],
  ['a clock without timers', { clock: { now() {}, wallNow() {} } }, 'clock', /setTimeout/],
  ['a number as randomness', { random: 0.5 }, 'random', /function/],
  ['an empty key', { apiKey: '' }, 'apiKey', /not empty/],
  ['a typing error', { buffersize: 5 }, 'buffersize', /did you mean bufferSize\?/],
  ['a name that nothing resembles', { zzzzzz: 5 }, 'zzzzzz', /known are symbols/],
];

describe('wrong options', () => {
  test.each(WRONG)('O01 %s are refused by name', (_, change, option, allowed) => {
    const { issues, code } = refusalOf({ ...LEAST, ...change });
    expect(code).toBe('CONFIGURATION');
    expect(issues.map((issue) => issue.option)).toEqual([option]);
    expect(issues[0]?.allowed).toMatch(allowed);
  });

  test('O03 every time that no timer holds is refused, in whatever option', () => {
    const times = Object.keys(resolveOptions(LEAST).timing).filter((name) => name.endsWith('Ms'));
    expect(times.length).toBeGreaterThan(10);
    const options = 'connectTimeoutMs pingIntervalMs pongTimeoutMs stopTimeoutMs symbolsPollMs'.split(' ');
    const paths = [
      ...options.map((name) => [name]),
      ...times.map((name) => ['timing', name]),
      ...['baseMs', 'maxMs', 'slowMs'].map((name) => ['timing', 'backoff', name]),
    ];
    const given = (path: readonly string[], value: number): object =>
      path.reduceRight<object | number>((inner, name) => ({ [name]: inner }), value) as object;
    for (const path of paths) {
      for (const wrong of [2 ** 31, 2 ** 32 + 1, Number.POSITIVE_INFINITY, Number.NaN, 0, -1, 1.5])
        expect(refusalOf({ ...LEAST, ...given(path, wrong) }).option).toBe(path.join('.'));
      expect(() => resolveOptions({ ...LEAST, ...given(path, 2 ** 31 - 1) })).not.toThrow();
    }
    // History that is asked for is no timer's business; its own limit is ten years.
    expect(refusalOf({ ...LEAST, backfillMs: 3_653 * 86_400_000 + 1 }).option).toBe('backfillMs');
    expect(
      [...new Set(Object.keys(resolveOptions(LEAST)))].filter((name) => name.endsWith('Ms')).sort(),
    ).toEqual([...options, 'backfillMs'].sort());
  });

  test.each([[undefined], [null], ['BTCUSDT'], [5], [[]]])('%s is no object of options', (input) => {
    expect(refusalOf(input).issues[0]?.option).toBe('options');
  });

  test('O01 all that is wrong is told at once, with what was given', () => {
    const error = refusalOf({
      symbols: ['a b', 'X', 'x'],
      intervals: ['1x'],
      bufferSize: -1,
      nope: 1,
      timeScale: 9,
    });
    expect(error.issues.map((issue) => issue.option)).toEqual([
      'symbols[0]',
      'intervals[0]',
      'bufferSize',
      'nope',
      'symbols[2]',
      'timeScale',
    ]);
    expect(error.message).toContain('symbols[0]: "a b"');
    expect(error.message).toContain('bufferSize: -1');
    expect(error.option).toBe('symbols[0]');
  });

  test('an own property named __proto__ is refused like any other', () => {
    const input: unknown = JSON.parse('{"symbols":["A"],"intervals":["1m"],"__proto__":{"bufferSize":1}}');
    expect(refusalOf(input).issues[0]?.option).toBe('__proto__');
  });

  test('X13 names, symbols and keys of any kind are shown on one line and short', () => {
    const odd = `\u001b[31m\n${'x'.repeat(10_000)}`;
    const refused = refusalOf({
      ...LEAST,
      [odd]: 1,
      network: { [odd]: 1 },
      store: { [odd]: 1 },
      bufferSize: Symbol(odd),
    });
    expect(refused.issues).toHaveLength(6);
    expect(refused.message).not.toMatch(/[\p{Cc}]/u);
    expect(refused.message).toContain('"\\u001b[31m\\nxxx');
    expect(refused.message.length).toBeLessThan(2_500);
  });

  test('null is no network, so that nothing is held against mainnet', () => {
    const { issues } = refusalOf({ ...LEAST, network: null, timeScale: 60, origin: 'simulator' });
    expect(issues.map(({ option }) => option)).toEqual(['network']);
  });

  test('what is under a name that nobody knows is not shown, in a list either', () => {
    expect(refusalOf({ ...LEAST, apiKye: [CANARY] }).message).not.toContain(CANARY);
  });

  test('X01 no secret and no control character gets into the message', () => {
    const error = refusalOf({
      ...LEAST,
      symbols: ['BTC\u001b[31m\r\n'],
      network: {
        wsUrl: `wss://user:${CANARY}@example.com`,
        restUrl: `https://h.example/?signature=${CANARY}`,
      },
      apiSecret: { value: CANARY },
      apiKeey: CANARY,
      nested: { apiKey: CANARY, deep: [CANARY] },
    });
    expect(error.issues).toHaveLength(6);
    expect(error.message).not.toContain(CANARY);
    expect(error.message).not.toMatch(/\p{Cc}/u);
  });
});

describe('right options', () => {
  test('what is left out gets its default', () => {
    expect(resolveOptions(LEAST)).toMatchObject({
      symbols: ['BTCUSDT'],
      intervals: ['1m'],
      network: 'mainnet',
      origin: 'mainnet',
      urls: HOSTS.mainnet,
      bufferSize: 500,
      store: undefined,
      connectTimeoutMs: 10_000,
      pingIntervalMs: 20_000,
      pongTimeoutMs: 5_000,
      stopTimeoutMs: 5_000,
      timeScale: 1,
      backfillMs: 0,
      queueSize: 10_000,
      streamsPerSocket: 200,
      symbolsPollMs: 300_000,
      timing: DEFAULT_TIMING,
    });
  });

  test('undefined counts as left out', () => {
    const absent = Object.fromEntries(
      ['network', 'store', 'bufferSize', 'logger', 'signal', 'timing', 'apiKey', 'origin'].map((name) => [
        name,
        undefined,
      ]),
    );
    expect(resolveOptions({ ...LEAST, ...absent })).toEqual(resolveOptions(LEAST));
  });

  test('ASCII letters of symbols are raised and others are left alone', () => {
    const { symbols } = resolveOptions({
      ...LEAST,
      symbols: ['btcusdt', '币安人生usdt', 'straßeusdt', '1000pepeusdt'],
    });
    expect(symbols).toEqual(['BTCUSDT', '币安人生USDT', 'STRAßEUSDT', '1000PEPEUSDT']);
  });

  test('all in place of the list is kept as it is', () => {
    expect(resolveOptions({ ...LEAST, symbols: 'all' }).symbols).toBe('all');
  });

  test('delivery contracts with an underscore are symbols', () => {
    expect(resolveOptions({ ...LEAST, symbols: ['BTCUSDT_260925'] }).symbols).toEqual(['BTCUSDT_260925']);
  });

  test('all 15 intervals are taken, minute and month as different ones', () => {
    expect(resolveOptions({ ...LEAST, intervals: INTERVALS }).intervals).toEqual(INTERVALS);
  });

  test.each([
    ['wss://example.com', 'wss://example.com'],
    ['wss://example.com:8443/', 'wss://example.com:8443'],
    ['ws://localhost:80', 'ws://localhost'],
    ['ws://127.9.9.9:1', 'ws://127.9.9.9:1'],
    ['ws://[::1]:81', 'ws://[::1]:81'],
    ['WS://LOCALHOST:81', 'ws://localhost:81'],
  ])('%s is taken as %s', (wsUrl, normal) => {
    expect(resolveOptions({ ...LEAST, ...ws(wsUrl) }).urls?.wsUrl).toBe(normal);
  });

  test('URLs are a custom network, and may be told to be a simulated one', () => {
    expect(resolveOptions({ ...LEAST, network: LOCAL })).toMatchObject({
      network: 'custom',
      origin: 'custom',
      timeScale: 1,
    });
    const simulated = resolveOptions({ ...LEAST, network: LOCAL, origin: 'simulator', timeScale: 60 });
    expect(simulated).toMatchObject({ network: 'custom', origin: 'simulator', timeScale: 60 });
  });

  test('the embedded simulated exchange has no URLs yet and runs 60 times as fast', () => {
    const resolved = resolveOptions({ ...LEAST, network: 'simulator' });
    expect(resolved).toMatchObject({ urls: undefined, origin: 'simulator', timeScale: 60 });
  });

  test('a time scale of 1 is what mainnet has anyway', () => {
    expect(resolveOptions({ ...LEAST, timeScale: 1 }).timeScale).toBe(1);
  });

  test("'never' is no connect timeout at all", () => {
    expect(resolveOptions({ ...LEAST, connectTimeoutMs: 'never' }).connectTimeoutMs).toBeUndefined();
  });

  test('timing overrides are stronger than the two options and leave the rest alone', () => {
    const timing = { pingIntervalMs: 7, backoff: { maxMs: 9 }, silenceMs: undefined };
    const resolved = resolveOptions({ ...LEAST, pingIntervalMs: 50, pongTimeoutMs: 60, timing });
    expect(resolved.timing).toEqual({
      ...DEFAULT_TIMING,
      pingIntervalMs: 7,
      pongTimeoutMs: 60,
      backoff: { ...DEFAULT_TIMING.backoff, maxMs: 9 },
    });
  });

  test('the console is a logger, and the objects given are kept as they are', () => {
    const { signal } = new AbortController();
    const resolved = resolveOptions({ ...LEAST, logger: globalThis.console, signal });
    expect(resolved.logger).toBe(globalThis.console);
    expect(resolved.signal).toBe(signal);
  });

  test('secrets are not kept', () => {
    const resolved = resolveOptions({ ...LEAST, apiKey: CANARY, apiSecret: CANARY });
    expect(JSON.stringify(resolved)).not.toContain(CANARY);
  });
});

describe('options in logs', () => {
  test('secrets, credentials and functions are left out', () => {
    const options: CollectorOptions = {
      ...LEAST,
      apiKey: CANARY,
      apiSecret: CANARY,
      network: { wsUrl: `wss://u:${CANARY}@h.example`, restUrl: 'https://h.example' },
      logger: globalThis.console,
      random: () => 0,
    };
    expect(redact(options)).toEqual({
      symbols: ['BTCUSDT'],
      intervals: ['1m'],
      wsUrl: 'wss://***@h.example',
      restUrl: 'https://h.example',
    });
  });

  test('resolved options show their network and URLs', () => {
    expect(redact(resolveOptions(LEAST))).toMatchObject({
      network: 'mainnet',
      restUrl: HOSTS.mainnet.restUrl,
    });
  });
});
