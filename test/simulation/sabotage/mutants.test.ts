import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { describe, expect, test } from 'vitest';
import { MUTANTS } from './mutants.ts';

const textOf = (file: string): string => readFileSync(new URL(`../../../${file}`, import.meta.url), 'utf8');

describe('the listed mutants', () => {
  test('are two or more of each invariant, each with a name of its own', () => {
    for (let number = 1; number <= 10; number++) {
      const own = MUTANTS.filter(({ invariant }) => invariant === `I${number}`);
      expect(own.length, `I${number}`).toBeGreaterThanOrEqual(2);
    }
    expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length);
  });

  test.each(MUTANTS)('$invariant $name fits into the program as it is, and can be run', ({ patches }) => {
    const texts = new Map<string, string>();
    for (const { file, find, replace } of patches) {
      const text = texts.get(file) ?? textOf(file);
      expect(text.split(find)).toHaveLength(2);
      texts.set(
        file,
        text.replace(find, () => replace),
      );
    }
    for (const [file, text] of texts) {
      expect(text).not.toBe(textOf(file));
      expect(() => stripTypeScriptTypes(text, { mode: 'strip' })).not.toThrow();
    }
  });
});
