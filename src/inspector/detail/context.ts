import type { AnyActorRef } from 'xstate';
import { MASK, SECRET_NAME, textMasker } from '../../log/redact.ts';
import type { ActorDetail } from '../protocol.ts';

const DEPTH_MAX = 5;
const ITEMS_MAX = 50;
/** Of the whole, as JSON; what each level says of what was left out comes on top, and has room in 64 KB. */
const BYTES_MAX = 63 * 1_024;

const mask = textMasker();

/**
 * What an actor knows, for a reader: plain JSON, cut to a bound, secrets out. Things that are no plain data are only
 * named. Of an actor without a chart: what it was given, and what came of it.
 */
export function detailOf(id: string, actor: AnyActorRef): ActorDetail {
  const snapshot: object = actor.getSnapshot() ?? {};
  const { context, input, output, error } = snapshot as Record<string, unknown>;
  const known = 'context' in snapshot ? context : { input, output, error };
  return { id, context: new Cut().value(known, '', 0) ?? null };
}

/** One reading, which may be so large and no larger. */
class Cut {
  #bytesLeft = BYTES_MAX;

  value(given: unknown, name: string, depth: number): unknown {
    if (given === undefined) return undefined;
    if (SECRET_NAME.test(name)) return this.#text(MASK);
    if (given === null || typeof given === 'boolean') return this.#spend(given, 5);
    if (typeof given === 'string') return this.#text(given);
    if (typeof given === 'number' && Number.isFinite(given)) return this.#spend(given, 24);
    if (typeof given === 'function') return this.#text(`[function ${given.name}]`);
    if (typeof given !== 'object') return this.#text(String(given));
    return this.#thing(given, name, depth);
  }

  #thing(given: object, name: string, depth: number): unknown {
    if (given instanceof Error) return this.#fields(errorFields(given), depth);
    if (given instanceof Date)
      return this.#text(Number.isNaN(given.getTime()) ? 'no date' : given.toISOString());
    if (!Array.isArray(given) && !isPlain(given)) return this.#text(`[${kindOf(given)}]`);
    if (depth >= DEPTH_MAX) return this.#text('[…]');
    return Array.isArray(given) ? this.#items(given, name, depth) : this.#fields(given, depth);
  }

  #items(given: readonly unknown[], name: string, depth: number): unknown[] {
    this.#spend(undefined, 2);
    const items: unknown[] = [];
    for (const item of given) {
      if (items.length === ITEMS_MAX || this.#bytesLeft <= 0) break;
      items.push(this.value(item, name, depth + 1) ?? null);
    }
    return items.length < given.length ? [...items, `… ${given.length - items.length} more`] : items;
  }

  #fields(given: object, depth: number): Record<string, unknown> {
    this.#spend(undefined, 2);
    const names = Object.keys(given);
    const fields: [string, unknown][] = [];
    for (const name of names) {
      if (fields.length === ITEMS_MAX || this.#bytesLeft <= 0) break;
      const shown = mask(name);
      const bytes = bytesOf(shown);
      if (bytes > this.#bytesLeft) break;
      this.#spend(undefined, bytes);
      fields.push([shown, this.value(property(given, name), name, depth + 1)]);
    }
    if (fields.length < names.length) fields.push(['…', `${names.length - fields.length} more`]);
    return Object.fromEntries(fields);
  }

  #text(given: string): string {
    const text = mask(given);
    const bytes = bytesOf(text);
    return bytes > this.#bytesLeft ? this.#spend('…', 6) : this.#spend(text, bytes);
  }

  #spend<Value>(value: Value, bytes: number): Value {
    this.#bytesLeft -= bytes;
    return value;
  }
}

/** As JSON, with the mark that follows it. */
const bytesOf = (text: string): number => Buffer.byteLength(JSON.stringify(text)) + 1;

const isPlain = (given: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(given);
  return prototype === Object.prototype || prototype === null;
};

function property(given: object, name: string): unknown {
  try {
    return Reflect.get(given, name);
  } catch {
    return '[unreadable]';
  }
}

/** What an error says for itself: it may carry requests and answers besides. */
const errorFields = (error: Error): object => {
  const [name, code, message] = ['name', 'code', 'message'].map((one) => property(error, one));
  return { name, ...(code === undefined ? {} : { code }), message };
};

/** `Map of 3`, `Actor`: of what class a thing is, and how much of it there is. */
function kindOf(given: object): string {
  const made = property(given, 'constructor');
  const kind = typeof made === 'function' && made.name !== '' ? made.name : 'object';
  const size: unknown = property(given, 'size') ?? property(given, 'length');
  return typeof size === 'number' ? `${kind} of ${size}` : kind;
}
