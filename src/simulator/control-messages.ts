/**
 * The text frames that a client may send, judged as the exchange judges them.
 * Source: Live Subscribing/Unsubscribing to streams, 2026-01-27, and measurements of 2026-10-07.
 */

/** What a session can be told to do. */
export type Command =
  | { readonly kind: 'subscribe' | 'unsubscribe'; readonly id: number; readonly names: readonly string[] }
  | { readonly kind: 'list' | 'getCombined'; readonly id: number }
  | { readonly kind: 'setCombined'; readonly id: number; readonly value: boolean }
  | { readonly kind: 'refused'; readonly reply: string };

/** Texts above this many bytes are cut, and the rest is no JSON any more. */
export const MESSAGE_BYTES_MAX = 4096;

const METHODS = ['SUBSCRIBE', 'UNSUBSCRIBE', 'LIST_SUBSCRIPTIONS', 'SET_PROPERTY', 'GET_PROPERTY'];

/** An error reply; `id` only where the request could be read. */
export function errorReply(code: number, msg: string, id?: number): string {
  return JSON.stringify(id === undefined ? { error: { code, msg } } : { error: { code, msg }, id });
}

export const resultReply = (result: unknown, id: number): string => JSON.stringify({ result, id });

const refused = (code: number, msg: string, id?: number): Command => ({
  kind: 'refused',
  reply: errorReply(code, msg, id),
});

/** Reads one message. */
export function readCommand(text: string, bytes: number): Command {
  if (bytes > MESSAGE_BYTES_MAX) {
    return refused(3, `Invalid JSON: EOF while parsing a value at line 1 column ${MESSAGE_BYTES_MAX}`);
  }
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    return refused(3, 'Invalid JSON: expected value at line 1 column 1');
  }
  if (typeof message !== 'object' || message === null || Array.isArray(message)) {
    return refused(2, 'Invalid request: invalid type, expected a request object');
  }
  const { method, params, id } = message as Record<string, unknown>;
  if (typeof id !== 'number' || !Number.isSafeInteger(id) || id < 0) {
    return refused(2, 'Invalid request: request ID must be an unsigned integer');
  }
  if (method === undefined) {
    return refused(2, `Invalid request: missing field \`method\` at line 1 column ${bytes}`, id);
  }
  switch (method) {
    case 'SUBSCRIBE':
    case 'UNSUBSCRIBE': {
      if (!Array.isArray(params) || !params.every((name) => typeof name === 'string')) {
        return refused(2, 'Invalid request: params must be an array of strings', id);
      }
      return { kind: method === 'SUBSCRIBE' ? 'subscribe' : 'unsubscribe', id, names: params };
    }
    case 'LIST_SUBSCRIPTIONS':
      return { kind: 'list', id };
    case 'GET_PROPERTY':
    case 'SET_PROPERTY':
      return readProperty(method === 'GET_PROPERTY', params, id);
    default: {
      const known = METHODS.map((name) => `\`${name}\``).join(', ');
      return refused(2, `Invalid request: unknown variant ${method}, expected one of ${known}`, id);
    }
  }
}

function readProperty(isGet: boolean, params: unknown, id: number): Command {
  const [name, value, ...more] = Array.isArray(params) ? params : [];
  if (typeof name !== 'string') return refused(2, 'Invalid request: property name must be a string', id);
  if (more.length > 0 || (isGet && value !== undefined)) {
    return refused(2, 'Invalid request: too many parameters', id);
  }
  if (name !== 'combined') return refused(0, 'Unknown property', id);
  if (isGet) return { kind: 'getCombined', id };
  if (typeof value !== 'boolean') return refused(1, 'Invalid value type: expected Boolean', id);
  return { kind: 'setCombined', id, value };
}
