import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Ban, readBan, removeBan, writeBan } from '../../src/store/ban.ts';
import { folder } from '../support/collector.ts';

const NOW = 1_791_382_984_200;
const ORIGIN = 'https://fapi.binance.com';
const ban: Ban = {
  origin: ORIGIN,
  until: NOW + 120_000,
  toldMs: 120_000,
  kind: 'banned',
  reason: '/fapi/v1/time answered HTTP 418',
};

describe('a ban beside a store', () => {
  test('is read as it was written, less the time that went by', () => {
    const path = join(folder(), 'a.db');
    expect(readBan(path, ORIGIN, NOW)).toBeUndefined();
    writeBan(path, ban);
    expect(readBan(path, ORIGIN, NOW + 20_000)).toEqual({ ...ban, leftMs: 100_000 });
    expect(existsSync(path)).toBe(false);
  });

  test('is one file, whole at any moment, and the last word stands', () => {
    const dir = folder();
    const path = join(dir, 'a.db');
    writeBan(path, ban);
    writeBan(path, { ...ban, until: NOW + 60_000 });
    expect(readdirSync(dir)).toEqual(['a.db.ban']);
    expect(readBan(path, ORIGIN, NOW)).toMatchObject({ leftMs: 60_000 });
  });

  test('lasts no longer than was told, wherever the local clock has jumped, and is removed when over', () => {
    const path = join(folder(), 'a.db');
    writeBan(path, ban);
    expect(readBan(path, ORIGIN, NOW - 10 * 365 * 86_400_000)).toMatchObject({ leftMs: 120_000 });
    expect(readBan(path, ORIGIN, NOW + 120_000)).toBeUndefined();
    expect(existsSync(`${path}.ban`)).toBe(false);
  });

  test('of another exchange is none of ours, and stays', () => {
    const path = join(folder(), 'a.db');
    writeBan(path, ban);
    expect(readBan(path, 'http://127.0.0.1:1234', NOW)).toBeUndefined();
    expect(existsSync(`${path}.ban`)).toBe(true);
  });

  test('belongs to the store itself, by whatever name that is opened', () => {
    const dir = folder();
    writeFileSync(join(dir, 'real.db'), '');
    symlinkSync(join(dir, 'real.db'), join(dir, 'link.db'));
    writeBan(join(dir, 'link.db'), ban);
    expect(readBan(join(dir, 'real.db'), ORIGIN, NOW)).toMatchObject({ leftMs: 120_000 });
  });

  test('makes the folder as the store does', () => {
    const before = process.cwd();
    const dir = folder();
    try {
      process.chdir(dir);
      writeBan('data/a.db', ban);
      expect(readFileSync(join(dir, 'data/a.db.ban'), 'utf8')).toContain(ORIGIN);
      expect(() => writeBan('more/than/one/a.db', ban)).toThrow('does not exist');
    } finally {
      process.chdir(before);
    }
  });

  test.each(['', '{', 'null', '[]', '{}', '{"origin":1}', JSON.stringify({ ...ban, until: 'soon' })])(
    'that is damaged (%s) is said to be',
    (text) => {
      const path = join(folder(), 'a.db');
      writeFileSync(`${path}.ban`, text);
      expect(() => readBan(path, ORIGIN, NOW)).toThrow(SyntaxError);
    },
  );

  test('can be removed when there is none', () => {
    const path = join(folder(), 'a.db');
    removeBan(path);
    mkdirSync(path);
    removeBan(path);
  });
});
