/**
 * A pause that the exchange imposed, kept beside the store: a run that begins while it lasts must not send either.
 * A file of its own, for a ban may come before there is a store.
 */
import { existsSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { makeFolder } from './identity.ts';

export interface Ban {
  /** Origin of the REST URL: another network is not meant. */
  readonly origin: string;
  /** By the local wall clock, ms since epoch. */
  readonly until: number;
  /** How long it was when it was written, ms: no more is left of it, whatever the local clock says now. */
  readonly toldMs: number;
  /** `banned` (the address) or `limited` (too many requests). */
  readonly kind: 'banned' | 'limited';
  readonly reason: string;
}

/** What is left of a ban that was written down. */
export type BanLeft = Ban & { readonly leftMs: number };

/** Where the bans of a store are written down. */
export interface BanNotes {
  /** What is left of one by this exchange; one that is over is removed. @throws when it is damaged or can't be read. */
  read(path: string, origin: string, localNow: number): BanLeft | undefined;
  /** @throws when it can't be written. */
  write(path: string, ban: Ban): void;
  remove(path: string): void;
}

/** By its real name: a link to a store is that store. */
const banFileOf = (path: string): string => `${existsSync(path) ? realpathSync(path) : path}.ban`;

/** Writes it down at once, and never half. @throws when the folder can't be written to. */
export function writeBan(path: string, ban: Ban): void {
  makeFolder(path);
  const file = banFileOf(path);
  writeFileSync(`${file}.new`, `${JSON.stringify(ban)}\n`, { flush: true });
  renameSync(`${file}.new`, file);
}

export function removeBan(path: string): void {
  rmSync(banFileOf(path), { force: true });
}

/**
 * What is left of a ban by this exchange, ms, in `leftMs`; undefined when there is none. One that is over is removed.
 *
 * @throws {SyntaxError} when the file is damaged; others when it can't be read.
 */
export function readBan(path: string, origin: string, localNow: number): BanLeft | undefined {
  const file = banFileOf(path);
  if (!existsSync(file)) return undefined;
  const ban: unknown = JSON.parse(readFileSync(file, 'utf8'));
  if (!isBan(ban)) throw new SyntaxError(`${file} does not say until when`);
  if (ban.origin !== origin) return undefined;
  const left = leftOf(ban, localNow);
  if (left === undefined) removeBan(path);
  return left;
}

/** Undefined: it is over. */
export function leftOf(ban: Ban, localNow: number): BanLeft | undefined {
  const leftMs = Math.min(ban.toldMs, ban.until - localNow);
  return leftMs > 0 ? { ...ban, leftMs } : undefined;
}

/** In files beside the stores. */
export const banFiles: BanNotes = { read: readBan, write: writeBan, remove: removeBan };

function isBan(value: unknown): value is Ban {
  if (typeof value !== 'object' || value === null) return false;
  const { origin, until, toldMs, kind, reason } = value as Record<string, unknown>;
  return (
    typeof origin === 'string' &&
    typeof until === 'number' &&
    typeof toldMs === 'number' &&
    (kind === 'banned' || kind === 'limited') &&
    typeof reason === 'string'
  );
}
