/** What each option may be. Every message says what is allowed; what was given is added by the caller. */
import { z } from 'zod';
import { INTERVALS, isInterval } from '../machines/model/interval.ts';

/** Longest delay of a Node timer, ms. */
export const TIMER_MAX_MS = 2 ** 31 - 1;
/** 3653 days: ten years with their leap days. */
export const BACKFILL_MAX_MS = 3653 * 86_400_000;
export const TIME_SCALE_MAX = 100_000;

type Complain = (message: string) => void;
/** A value checked and converted by hand, with as many complaints as it takes. */
const field = <T>(convert: (value: unknown, complain: Complain) => T | undefined) =>
  z.unknown().transform((value, context): T => {
    const before = context.issues.length;
    const result = convert(value, (message) => context.addIssue({ code: 'custom', message, input: value }));
    return context.issues.length > before ? z.NEVER : (result as T);
  });

export const wholeNumber = (min: number, max: number) => {
  const error = `a whole number from ${min} to ${max}`;
  return z.int({ error }).min(min, { error }).max(max, { error });
};

const durationError = `a whole number of milliseconds from 1 to ${TIMER_MAX_MS}`;
export const duration = z
  .int({ error: durationError })
  .min(1, { error: durationError })
  .max(TIMER_MAX_MS, { error: durationError });

export const connectTimeout = field<number | 'never'>((value, complain) => {
  if (value === 'never') return value;
  const parsed = duration.safeParse(value);
  if (!parsed.success) complain(`${durationError}, or 'never'`);
  return parsed.data;
});

const backfillError = `a whole number of milliseconds from 0 to ${BACKFILL_MAX_MS} (10 years)`;
export const backfill = z
  .int({ error: backfillError })
  .min(0, { error: backfillError })
  .max(BACKFILL_MAX_MS, { error: backfillError });

export const timeScale = field<number>((value, complain) => {
  if (typeof value === 'number' && value > 0 && value <= TIME_SCALE_MAX) return value;
  return void complain(`a number above 0 and at most ${TIME_SCALE_MAX}`);
});

/** Raises ASCII letters and no others: names of listed contracts may hold letters of any script. */
export const raiseAscii = (text: string): string => text.replace(/[a-z]/gu, (letter) => letter.toUpperCase());

/** In place of a list of symbols: every perpetual that trades. */
export const ALL = 'all';

export const symbol = field<string>((value, complain) => {
  if (typeof value === 'string' && value.toLowerCase() === ALL)
    return void complain(
      `the names of symbols; for every perpetual that trades, '${ALL}' in place of the list`,
    );
  if (typeof value === 'string' && /^[\p{L}\p{N}_]{1,30}$/u.test(value)) return raiseAscii(value);
  return void complain('a symbol as BTCUSDT: letters, digits and _, at most 30 characters');
});

/** The interval that was probably meant, as the end of a message. */
function intervalHint(value: unknown): string {
  if (typeof value !== 'string') return '';
  const text = value.trim();
  if (/^1?mo/iu.test(text)) return '; did you mean 1M? 1M is a month, 1m is a minute';
  const meant = INTERVALS.find((known) => known.toLowerCase() === text.toLowerCase());
  if (meant === undefined) return '';
  return `; did you mean ${meant}? Case matters: 1M is a month, 1m is a minute`;
}

export const interval = field((value, complain) => {
  if (isInterval(value)) return value;
  const months = typeof value === 'string' && /^\d+M$/u.test(value) && value !== '1M';
  const hint =
    intervalHint(value) || (months ? '; case matters: 1M is a month (the only one), 1m is a minute' : '');
  return void complain(`one of ${INTERVALS.join(' ')}${hint}`);
});

const listOf = <T extends z.ZodType>(item: T, what: string, example: string) =>
  z
    .array(item, { error: `an array of ${what}, as ${example}` })
    .min(1, { error: `at least one, as ${example}` });

const symbolList = listOf(symbol, `symbols or '${ALL}'`, "['BTCUSDT']");

/** Dispatches by hand, because a union would hide which symbol is wrong. */
export const symbols = z.unknown().transform((value, context): typeof ALL | string[] => {
  if (value === ALL) return value;
  const parsed = symbolList.safeParse(value);
  if (parsed.success) return parsed.data;
  for (const issue of parsed.error.issues)
    context.issues.push({ ...issue, input: value } as z.core.$ZodRawIssue);
  return z.NEVER;
});
export const intervals = listOf(interval, 'intervals', "['1m', '5m']");

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '[::1]' || /^127(?:\.\d{1,3}){3}$/u.test(host);

function checkUrl(text: string, secure: string, plain: string, complain: Complain): string | undefined {
  const example = `${secure}//host.example or ${plain}//127.0.0.1:8080`;
  if (/[\s\p{C}\\]/u.test(text) || !URL.canParse(text)) return void complain(`a URL, as ${example}`);
  const url = new URL(text);
  if (url.protocol !== secure && url.protocol !== plain) {
    return void complain(`a URL with ${secure} or ${plain}, as ${example}`);
  }
  if (url.username !== '' || url.password !== '' || text.includes('@')) complain('a URL without credentials');
  else if (url.hostname === '') complain(`a URL with a host, as ${example}`);
  else if (/[?#]/u.test(text)) complain('a base URL without ? and #');
  else if (url.pathname !== '/') complain('a base URL without a path; routes are added by the program');
  else if (url.protocol === plain && !isLoopback(url.hostname)) {
    complain(
      `${secure}, or a host of this machine: plain ${plain} goes to localhost, 127.x.x.x and [::1] only`,
    );
  }
  return `${url.protocol}//${url.host}`;
}

const urlField = (secure: string, plain: string) =>
  field<string>((value, complain) => {
    if (typeof value === 'string') return checkUrl(value, secure, plain, complain);
    return void complain(`a URL as text, as ${secure}//host.example`);
  });

const webUrl = urlField('https:', 'http:');

export const networkUrls = z.strictObject({
  wsUrl: urlField('wss:', 'ws:'),
  restUrl: webUrl,
  visionUrl: webUrl.optional(),
});

/** History needs no stream. */
export const historyUrls = z.strictObject({
  wsUrl: networkUrls.shape.wsUrl.optional(),
  restUrl: webUrl.optional(),
  visionUrl: webUrl.optional(),
});

const NAMES = ['mainnet', 'testnet', 'simulator'] as const;
export const isNetworkName = (value: unknown): value is (typeof NAMES)[number] =>
  NAMES.some((name) => name === value);

/** Dispatches by hand, because a union would hide which URL is wrong. */
const networkOf = <Urls extends z.ZodType>(urls: Urls, names: string) =>
  z.unknown().transform((value, context): (typeof NAMES)[number] | z.output<Urls> => {
    if (isNetworkName(value)) return value;
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      const parsed = urls.safeParse(value);
      if (parsed.success) return parsed.data;
      for (const issue of parsed.error.issues)
        context.issues.push({ ...issue, input: value } as z.core.$ZodRawIssue);
      return z.NEVER;
    }
    const message = `'mainnet', 'testnet', 'simulator', or an object with ${names}`;
    context.addIssue({ code: 'custom', message, input: value });
    return z.NEVER;
  });

export const network = networkOf(networkUrls, 'wsUrl and restUrl');
export const historyNetwork = networkOf(historyUrls, 'restUrl and visionUrl');

/** The last ms of the year 9999: who gives more means µs, and calendars end not far behind. */
const INSTANT_MAX_MS = 253_402_300_799_999;

/** A moment, as ms. */
export const instant = field<number>((value, complain) => {
  const ms = value instanceof Date ? value.getTime() : value;
  if (typeof ms === 'number' && Number.isSafeInteger(ms) && ms >= 0 && ms <= INSTANT_MAX_MS) return ms;
  return void complain('ms since epoch, a whole number, or a Date, until the year 9999');
});

/** A file or folder. */
export const filePath = (example: string) =>
  field<string>((value, complain) => {
    if (typeof value === 'string' && value.trim() !== '' && !value.includes('\0')) return value;
    return void complain(`a path, as ${example}`);
  });

/** A path, and not one of SQLite's words that look like one. */
export const storePath = field<string>((value, complain) => {
  if (typeof value !== 'string' || value.trim() === '' || value.includes('\0')) {
    return void complain('the path of a file, as data/btc.db');
  }
  if (value !== ':memory:' && !value.startsWith('file:')) return value;
  return void complain('the path of a file; leave it out to keep candles in memory only');
});

/** An object that can do what is listed; it is kept as it is. */
export const having = <T>(what: string, methods: readonly string[]) =>
  field<T>((value, complain) => {
    const ok =
      typeof value === 'object' &&
      value !== null &&
      methods.every((method) => typeof Reflect.get(value, method) === 'function');
    return ok ? (value as T) : void complain(`${what} with the functions ${methods.join(', ')}`);
  });

export const callback = <T>(what: string) =>
  field<T>((value, complain) => (typeof value === 'function' ? (value as T) : void complain(what)));

export const abortSignal = field<AbortSignal>((value, complain) =>
  value instanceof AbortSignal ? value : void complain('an AbortSignal'),
);

export const secret = field<string>((value, complain) =>
  typeof value === 'string' && value !== '' ? value : void complain('text that is not empty'),
);
