/** What the project takes from others, and what it gives away. Nothing here asks the network. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../architecture/source.ts';

interface Manifest {
  readonly files: readonly string[];
  readonly allowScripts: Readonly<Record<string, boolean>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
}
interface Locked {
  readonly version: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly hasInstallScript?: boolean;
  readonly link?: boolean;
}
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const manifest = JSON.parse(read('package.json')) as Manifest;
const { packages } = JSON.parse(read('package-lock.json')) as { packages: Record<string, Locked & Manifest> };
const locked = Object.entries(packages).filter(([path]) => path !== '');

test('X17 the lock file has every package by its digest, from the one registry, and is that of package.json', () => {
  expect(locked.length).toBeGreaterThan(100);
  const loose = locked.filter(
    // Without an address it comes from the registry; one of git or of a folder would have one.
    ([, { resolved, integrity = '', link }]) =>
      link === true || resolved !== undefined || !integrity.startsWith('sha512-'),
  );
  expect(loose.map(([path]) => path)).toEqual([]);
  for (const kind of ['dependencies', 'devDependencies', 'optionalDependencies'] as const)
    expect(packages['']?.[kind], kind).toEqual(manifest[kind]);
});

test('X17 a package may run scripts when it is installed by name alone: the one that pins the runtime', () => {
  expect(manifest.allowScripts).toEqual({ node: true });
});

test('X17 each dependency is argued for', () => {
  const decision = read('docs/decisions/0001-dependencies.md');
  const names = [manifest.dependencies, manifest.optionalDependencies, manifest.devDependencies].flatMap(
    Object.keys,
  );
  expect(names.filter((name) => !name.startsWith('@types/') && !decision.includes(`\`${name}\``))).toEqual(
    [],
  );
  expect(Object.keys(manifest.dependencies).length).toBeLessThan(20);
});

test('X17 ws is of a version that bounds fragments and discloses no memory', () => {
  const [major = 0, minor = 0] = (packages['node_modules/ws']?.version ?? '').split('.').map(Number);
  expect(major === 8 && minor >= 21).toBe(true);
});

test('X21 the package is what was built, and three texts: no test, no recording, no key', () => {
  expect(manifest.files).toEqual(['dist', 'README.md', 'LICENSE', 'CHANGELOG.md']);
  // What lies in dist, file by file, is told by the command that packs and installs it; CI runs it.
  const told = /const EXPECTED =\s*(.+);/u.exec(read('test/package/check.ts'))?.[1];
  expect(told).toBe(
    String.raw`/^(dist\/.+\.(js|d\.ts)|dist\/inspector\/.+\.(html|css|svg|md)|README\.md|LICENSE|CHANGELOG\.md|package\.json)$/`,
  );
  expect(read('.ci/run')).toContain('\nnpm run check:package\n');
});
