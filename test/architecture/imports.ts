/** Who may import whom, and which packages. */
import { existsSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join, posix } from 'node:path';
import { importsOf, ROOT, type Sources } from './source.ts';

const ADAPTERS = 'transport pipeline store simulator log'.split(' ');
export const LEVELS: Readonly<Record<string, number>> = {
  'machines/model': 0,
  machines: 1,
  'src/ports.ts': 2,
  'src/errors.ts': 2,
  'src/binance': 2,
  ...Object.fromEntries(ADAPTERS.map((name) => [`src/${name}`, 3])),
  'src/actors': 4,
  // Above the adapters: it runs charts of its own, and what is built of adapters ends by it.
  'src/supervisor': 4,
  // Above those two: it asks through the REST session, and what it leaves on the disk goes by a deadline.
  'src/history': 5,
  'src/exchange.ts': 5,
  'src/wire.ts': 5,
  'src/world.ts': 5,
  'src/lifecycle.ts': 6,
  'src/status.ts': 6,
  'src/vitals.ts': 6,
  'src/health.ts': 6,
  // Above the collector: it shows what anybody can ask of one, and no more.
  'src/inspector': 6.5,
  // Runs in a browser; of the server it knows the messages alone.
  'src/inspector/page': 7,
  'src/options.ts': 5,
  'src/collector.ts': 6,
  'src/history-load.ts': 6,
  'src/index.ts': 7,
  'src/cli': 7,
};
/** Rooms of later milestones; once they are there, they may not be empty. */
const NOT_YET: readonly string[] = [];

/** The room a file belongs to, or nothing if the house has no such room. */
export function roomOf(path: string): string | undefined {
  const holds = (room: string): boolean =>
    path === room ||
    path.startsWith(`${room}/`) ||
    // A room of one file may be split: src/options.ts, src/options.types.ts.
    (room.endsWith('.ts') &&
      path.startsWith(room.slice(0, -2)) &&
      path.lastIndexOf('/') === room.lastIndexOf('/'));
  const rooms = Object.keys(LEVELS).filter(holds);
  return rooms.sort((a, b) => b.length - a.length)[0];
}

/** Why `from` may not import `to`; nothing if it may. */
function refusal(fromFile: string, toFile: string, typeOnly: boolean): string | undefined {
  const from = roomOf(fromFile);
  const to = roomOf(toFile);
  if (from === undefined) return undefined; // reported as an unknown room
  if (toFile === 'package.json' && (LEVELS[from] ?? 0) > 6) return undefined; // the version
  if (to === undefined) return 'which is in no room of the house';
  if (from === to) return undefined;
  if (from === 'src/inspector/page') {
    if (to === 'machines/model') return undefined;
    return toFile === 'src/inspector/protocol.ts' && typeOnly ? undefined : `${from} may not import ${to}`;
  }
  const [own, other] = [LEVELS[from] ?? 0, LEVELS[to] ?? 0];
  const no = `${from} may not import ${to}`;
  if (other > own) return `${no}: it lies higher`;
  if (from === 'src/options.ts') return other <= 2 ? undefined : no;
  if (own === 2) return to === 'machines' || to === 'src/binance' ? no : undefined;
  if (own === 3) {
    if (to === 'machines') return typeOnly ? undefined : `${no} except its types`;
    return other < 3 || toFile === 'src/transport/clock.ts'
      ? undefined
      : `${no}: adapters do not know each other`;
  }
  if (from === 'src/index.ts' && to === 'src/cli') return no;
  return undefined;
}

/** Packages (and `node:` modules) that a room may use; a room that is not listed may use any. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  'machines/model': [],
  machines: ['xstate'],
  'src/ports.ts': [],
  'src/errors.ts': [],
  'src/binance': ['zod'],
};
const TIMER_MODULES = ['node:timers', 'node:timers/promises', 'timers', 'timers/promises'];
/** Giving way to other work takes no time, so it needs no clock. */
/** In a browser there is nothing to simulate. */
const PAGE = 'src/inspector/page/';
const ONLY_IMMEDIATE = /^import\s*\{\s*setImmediate(?:\s+as\s+\w+)?\s*,?\s*\}/;
export const mayUseTimers = (file: string): boolean =>
  file === 'src/transport/clock.ts' || file.startsWith('src/cli/') || file.startsWith(PAGE);

export function importOffences(sources: Sources): string[] {
  return [...sources].flatMap(([file, source]) =>
    importsOf(source).flatMap(({ specifier, line, typeOnly, statement }) => {
      const at = `${file}:${line}: imports ${specifier}`;
      if (specifier.startsWith('(')) return [`${at}: a dynamic import must name what it imports`];
      if (specifier.startsWith('.')) {
        const why = refusal(file, posix.join(posix.dirname(file), specifier), typeOnly);
        return why === undefined ? [] : [`${at}: ${why}`];
      }
      if (TIMER_MODULES.includes(specifier) && !ONLY_IMMEDIATE.test(statement) && !mayUseTimers(file))
        return [`${at}: time comes through the clock`];
      const room = roomOf(file) ?? '';
      const allowed = PACKAGES[room];
      const name = specifier
        .split('/')
        .slice(0, specifier.startsWith('@') ? 2 : 1)
        .join('/');
      const builtin = specifier.startsWith('node:') || builtinModules.includes(specifier);
      if (allowed === undefined || (!builtin && allowed.includes(name))) return [];
      return [`${at}: ${room} may only use ${allowed.join(', ') || 'nothing from outside'}`];
    }),
  );
}

export function roomOffences(sources: Sources): string[] {
  if (sources.size === 0) return ['no source was read'];
  const filled = new Set([...sources.keys()].map(roomOf));
  return [
    ...[...sources.keys()]
      .filter((file) => roomOf(file) === undefined)
      .map((file) => `${file}: is in no room of the house`),
    ...Object.keys(LEVELS)
      .filter((room) => !filled.has(room) && !(NOT_YET.includes(room) && !existsSync(join(ROOT, room))))
      .map((room) => `${room}: missing or empty`),
  ];
}
