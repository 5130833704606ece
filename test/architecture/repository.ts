/** What lies at the top level, and that every dependency has been decided about. */
export const VISIBLE =
  'src machines test docs package.json package-lock.json tsconfig.json vite.config.ts README.md LICENSE CHANGELOG.md';

export function topLevelOffences(tracked: readonly string[]): string[] {
  if (tracked.length === 0) return ['git lists no file'];
  const there = new Set(
    tracked.map((path) => path.split('/')[0] ?? '').filter((name) => !name.startsWith('.')),
  );
  const agreed = new Set(VISIBLE.split(' '));
  return [
    ...[...there].filter((name) => !agreed.has(name)).map((name) => `${name}: not agreed at the top level`),
    ...[...agreed].filter((name) => !there.has(name)).map((name) => `${name}: missing at the top level`),
  ];
}

/** Every dependency has been decided about, in writing. */
export function dependencyOffences(names: readonly string[], decisions: string): string[] {
  const mentioned = (name: string): boolean =>
    new RegExp(`(?<![\\w@/-])${name.replace(/[/.]/g, '\\$&')}(?![\\w/-])`).test(decisions);
  return names
    .filter((name) => !mentioned(name))
    .map((name) => `${name}: no file in docs/decisions mentions it`);
}
