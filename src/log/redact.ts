/**
 * What may be logged. Scalars pass under any name but a secret's, with what is secret inside of texts masked.
 * Objects pass by allow-list: errors with a few properties, and plain objects under the names listed here.
 * All else (requests, headers, environments, sockets) is named by its kind alone.
 */

/** Names under which nothing is ever written out. */
export const SECRET_NAME = /key|secret|token|signature|authorization|cookie|password/i;
export const MASK = '***';
const DEPTH_MAX = 5;
const ITEMS_MAX = 20;
const TEXT_MAX = 2_000;

/** Fields under which a plain object is written out. */
const STRUCTURES: ReadonlySet<string> = new Set([
  'after',
  'before',
  'buffers',
  'cause',
  'components',
  'counters',
  'errors',
  'fields',
  'gap',
  'issues',
  'options',
  'report',
  'revision',
  'series',
  'state',
  'states',
  'streams',
  'timing',
  'backoff',
  'urls',
]);

const QUERY = /([?&])([^=&?#\s]{1,64})=([^&#\s"'<>]*)/gu;
const CREDENTIALS = /\/\/[^/?#\s]*@/gu;
const LISTEN_KEY = /(\/(?:ws|stream)\/)[A-Za-z0-9]{40,}/gu;
const NAMED =
  /((?:api[-_]?key|api[-_]?secret|secret(?:[-_]?key)?|listen[-_]?key|signature|authorization|cookie|password|token)["']?\s{0,3}[:=]\s{0,3}["']?)(?:(?:bearer|basic)\s{1,3})?[^\s"'&,;]+/giu;

/** Masks texts; `secrets` are masked wherever they stand. */
export type MaskText = (text: string) => string;

export function textMasker(secrets: readonly string[] = []): MaskText {
  const literal = secrets.filter((secret) => secret.length >= 4);
  const forms = [...new Set(literal.flatMap((secret) => [secret, encodeURIComponent(secret)]))];
  return (given) => {
    let text = given;
    for (const form of forms) text = text.replaceAll(form, MASK);
    if (text.length > TEXT_MAX) text = `${text.slice(0, TEXT_MAX)}… (${text.length} characters)`;
    return text
      .replace(CREDENTIALS, `//${MASK}@`)
      .replace(QUERY, (whole, mark: string, name: string) =>
        SECRET_NAME.test(name) ? `${mark}${name}=${MASK}` : whole,
      )
      .replace(LISTEN_KEY, `$1${MASK}`)
      .replace(NAMED, `$1${MASK}`);
  };
}

const isPlain = (value: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
};

function property(value: object, name: string): unknown {
  try {
    return Reflect.get(value, name);
  } catch {
    return undefined;
  }
}

/** An error as data: its kind, code, message, and what was behind it. */
function errorData(error: Error, mask: MaskText, depth: number): Record<string, unknown> {
  const data: Record<string, unknown> = { name: mask(String(error.name)) };
  const code = property(error, 'code');
  if (typeof code === 'string') data['code'] = mask(code);
  else if (typeof code === 'number') data['code'] = code;
  const status = property(error, 'status');
  if (typeof status === 'number') data['status'] = status;
  data['message'] = mask(String(error.message));
  if (error.cause !== undefined && depth < DEPTH_MAX)
    data['cause'] = clean(error.cause, 'cause', mask, depth + 1);
  const errors = property(error, 'errors');
  if (Array.isArray(errors) && depth < DEPTH_MAX) {
    data['errors'] = errors.slice(0, 3).map((item) => clean(item, 'errors', mask, depth + 1));
  }
  return data;
}

function cleanObject(value: object, name: string, mask: MaskText, depth: number): unknown {
  if (value instanceof Error) return errorData(value, mask, depth);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
  if (value instanceof URL) return mask(value.href);
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (depth >= DEPTH_MAX) return '[…]';
  if (Array.isArray(value)) {
    const items = value.slice(0, ITEMS_MAX).map((item) => clean(item, name, mask, depth + 1));
    return value.length > ITEMS_MAX ? [...items, `… ${value.length - ITEMS_MAX} more`] : items;
  }
  if (!isPlain(value) || !STRUCTURES.has(name)) return '[object]';
  return cleanFields(value, mask, depth + 1);
}

function clean(value: unknown, name: string, mask: MaskText, depth: number): unknown {
  if (value === undefined || value === null) return value;
  if (SECRET_NAME.test(name)) return MASK;
  if (typeof value === 'string') return mask(value);
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value === 'boolean') return value;
  if (typeof value === 'object') return cleanObject(value, name, mask, depth);
  return `[${typeof value}]`;
}

/** The fields of a log line, ready to be written. An error given in place of fields becomes `error`. */
export function cleanFields(fields: object, mask: MaskText, depth = 0): Record<string, unknown> {
  if (fields instanceof Error) return { error: errorData(fields, mask, depth) };
  const cleaned: Record<string, unknown> = {};
  for (const name of Object.keys(fields)) {
    const value = clean(property(fields, name), name, mask, depth);
    if (value !== undefined) cleaned[mask(name)] = value;
  }
  return cleaned;
}
