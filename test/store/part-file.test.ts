import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openPartFile } from '../../src/store/part-file.ts';
import { useFolder } from './stores.ts';
import { spawnTable } from './table.processes.ts';

const { here } = useFolder();
const bytes = (text: string): Uint8Array => Buffer.from(text);
const names = (): string[] => readdirSync(here.folder).sort();
const target = (): string => join(here.folder, 'a.csv');

describe('a file that is being written', () => {
  test('has its name only when it is whole, and nothing else is left then', async () => {
    const file = await openPartFile(target());
    await file.write(bytes('one '));
    expect(names()).not.toContain('a.csv');
    await file.write(bytes('two'));
    await file.finish();
    expect(names()).toEqual(['a.csv']);
    expect(readFileSync(target(), 'utf8')).toBe('one two');
    expect(file.bytes).toBe(7);
  });

  test('leaves nothing when it is discarded, however often', async () => {
    const file = await openPartFile(target());
    await file.write(bytes('one'));
    await file.discard();
    await file.discard();
    expect(names()).toEqual([]);
  });

  test('is not written any more once it was discarded', async () => {
    const file = await openPartFile(target());
    await file.discard();
    await expect(file.write(bytes('x'))).rejects.toMatchObject({ code: 'FILE_WRITE' });
    await expect(file.finish()).rejects.toMatchObject({ code: 'FILE_WRITE' });
    expect(names()).toEqual([]);
  });

  test('two of one name are no trouble to each other; the second to end finds the name taken', async () => {
    const [one, other] = [await openPartFile(target()), await openPartFile(target())];
    await one.write(bytes('one'));
    await other.write(bytes('other'));
    await one.finish();
    await expect(other.finish()).rejects.toMatchObject({ code: 'FILE_EXISTS' });
    expect(names()).toEqual(['a.csv']);
    expect(readFileSync(target(), 'utf8')).toBe('one');
  });
});

describe('a file that is there already', () => {
  test('is refused, and left as it is', async () => {
    writeFileSync(target(), 'old');
    await expect(openPartFile(target())).rejects.toMatchObject({ code: 'FILE_EXISTS' });
    expect(names()).toEqual(['a.csv']);
  });

  test('is replaced when that was asked for, and only when the new one is whole', async () => {
    writeFileSync(target(), 'old');
    const file = await openPartFile(target(), { replace: true });
    await file.write(bytes('new'));
    expect(readFileSync(target(), 'utf8')).toBe('old');
    await file.finish();
    expect(readFileSync(target(), 'utf8')).toBe('new');
    expect(names()).toEqual(['a.csv']);
  });

  test('is replaced where a link leads to, and the link stays', async () => {
    mkdirSync(join(here.folder, 'far'));
    writeFileSync(join(here.folder, 'far', 'b.csv'), 'old');
    symlinkSync(join('far', 'b.csv'), target());
    const file = await openPartFile(target(), { replace: true });
    await file.write(bytes('new'));
    await file.finish();
    expect(readdirSync(here.folder, { withFileTypes: true }).map((one) => one.isSymbolicLink())).toContain(
      true,
    );
    expect(readdirSync(join(here.folder, 'far'))).toEqual(['b.csv']);
    expect(readFileSync(join(here.folder, 'far', 'b.csv'), 'utf8')).toBe('new');
  });

  test('is never replaced when it is a folder or a device', async () => {
    mkdirSync(target());
    await expect(openPartFile(target(), { replace: true })).rejects.toMatchObject({ code: 'FILE_EXISTS' });
    await expect(openPartFile('/dev/null', { replace: true })).rejects.toMatchObject({ code: 'FILE_EXISTS' });
  });
});

describe('what a killed run has left', () => {
  test('is gone when the same file is begun again; other files and living runs keep theirs', async () => {
    const killed = await spawnTable('hold', target());
    const living = await spawnTable('hold', target());
    const other = await spawnTable('hold', join(here.folder, 'b.csv'));
    expect(names()).toHaveLength(3);
    for (const one of [killed, other]) await one.kill();
    expect(names()).toHaveLength(3);

    const file = await openPartFile(target());
    expect(names().filter((name) => name.startsWith('.a.csv.'))).toHaveLength(2);
    expect(names().filter((name) => name.startsWith('.b.csv.'))).toHaveLength(1);
    await file.write(bytes('whole'));
    await file.finish();
    expect(names().filter((name) => name.includes('a.csv'))).toHaveLength(2);
    await living.kill();
  });

  test('is not touched when it holds what is not ours', async () => {
    const folder = join(here.folder, '.a.csv.candlestate-own');
    mkdirSync(folder);
    writeFileSync(join(folder, 'letter.txt'), 'mine');
    await (await openPartFile(target())).discard();
    expect(readFileSync(join(folder, 'letter.txt'), 'utf8')).toBe('mine');
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  });
});

describe('a place where nothing can be written', () => {
  test('a folder that is not there is said', async () => {
    await expect(openPartFile(join(here.folder, 'no', 'a.csv'))).rejects.toMatchObject({
      code: 'FILE_WRITE',
      message: expect.stringContaining('no such file or directory'),
    });
  });

  test.each(['csv', 'parquet'])(
    'S06 a full disk ends a %s file with an error, and leaves nothing',
    async (ending) => {
      const child = await spawnTable('fill', join(here.folder, `a.${ending}`), { fileKilobytes: 600 });
      expect(await child.ended).toBe(0);
      expect(child.lines()).toEqual(['ready', 'FILE_WRITE', expect.stringMatching(/EFBIG: file too large/)]);
      expect(names()).toEqual([]);
    },
  );
});
