/**
 * The rules of the house: imports go one way, machines are pure, time and chance come in through one door, the venue
 * is spelled in one place. Every offence names file and line. Each rule is also shown to fail, on sources in memory.
 */
import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { type AnyStateMachine, createMachine, enqueueActions, StateMachine, spawnChild } from 'xstate';
import { importOffences, roomOf, roomOffences } from './imports.ts';
import { machineOffences, sketchOffences } from './machines.ts';
import { dependencyOffences, topLevelOffences, VISIBLE } from './repository.ts';
import { blanked, filesBelow, importsOf, ROOT, read, type Sources } from './source.ts';
import { lengthOffences, purityOffences, venueOffences } from './words.ts';

describe('the house', () => {
  const files = [...filesBelow('machines', '.ts'), ...filesBelow('src', '.ts'), ...filesBelow('src', '.tsx')];
  const sources: Sources = new Map(files.map((path) => [path, read(path)]));

  test('every file is in a room, every room is filled', () => expect(roomOffences(sources)).toEqual([]));
  test('imports go one way', () => expect(importOffences(sources)).toEqual([]));
  test('machines are pure, time and chance come through the clock', () =>
    expect(purityOffences(sources)).toEqual([]));
  test('the venue is spelled in one place', () => expect(venueOffences(sources)).toEqual([]));
  test('every chart is drawn at the head of its file', () => expect(sketchOffences(sources)).toEqual([]));
  test('no file is too long', () => expect(lengthOffences(sources)).toEqual([]));

  test('A01 every machine handles failing children and bounds its loops', async () => {
    const paths = filesBelow('machines', '.machine.ts');
    const modules = await Promise.all(
      paths.map((path) => import(new URL(`../../${path}`, import.meta.url).href)),
    );
    const exported = modules.map((module) =>
      Object.values(module).filter((it) => it instanceof StateMachine),
    );
    expect(paths.length, 'machine files').toBeGreaterThan(0);
    expect(paths.filter((_, i) => exported[i]?.length === 0)).toEqual([]);
    expect(exported.flat().flatMap((machine) => machineOffences(machine as AnyStateMachine))).toEqual([]);
  });

  test('runtime dependencies are decided about in docs/decisions', () => {
    const names = Object.keys(JSON.parse(read('package.json')).dependencies ?? {});
    const decisions = filesBelow('docs/decisions', '.md').map(read).join('\n');
    expect(names.length).toBeGreaterThan(0);
    expect(dependencyOffences(names, decisions)).toEqual([]);
  });

  test('the top level is as agreed', () => {
    const tracked = execFileSync('git', ['ls-files'], {
      cwd: ROOT,
      encoding: 'utf8',
    });
    expect(topLevelOffences(tracked.split('\n').filter(Boolean))).toEqual([]);
  });
});
const one = (path: string, source: string): Sources => new Map([[path, source]]);

describe('the scanner', () => {
  test('finds every form of import, with its line', () => {
    const source = [
      "import a from './a.ts';",
      'import {',
      '  b,',
      '  type C,',
      "} from './b.ts';",
      "import './c.ts'; export * from './d.ts';",
      "export type { E } from './e.ts';",
      "import type { F } from './f.ts';",
      "const g = await import('./g.ts');",
      "new Worker(new URL('./h.ts', import.meta.url));",
      "require('./i.ts'); import(name);",
    ].join('\n');
    const found = importsOf(source).sort((a, b) => a.line - b.line);
    expect(found.map((it) => `${it.line} ${it.specifier}${it.typeOnly ? ' type' : ''}`)).toEqual([
      '1 ./a.ts',
      '2 ./b.ts',
      '6 ./c.ts',
      '6 ./d.ts',
      '7 ./e.ts type',
      '8 ./f.ts type',
      '9 ./g.ts',
      '10 ./h.ts',
      '11 ./i.ts',
      '11 (name)',
    ]);
  });

  test('sees neither comments nor strings, but code inside templates', () => {
    const source =
      "// import './a.ts'\n/* import './b.ts' */ const s = \"import './c.ts'\"; `import './d.ts'`;";
    expect(importsOf(source)).toEqual([]);
    const text =
      // biome-ignore lint/suspicious/noTemplateCurlyInString: it is source text
      "'Date.now' /* Date.now */; `Date.now ${ {a: `${Date.now()}`} } Date.now`; /'/; x = /\"`/g; '`'; // `";
    expect(blanked(text, true).match(/Date\.now/g)).toHaveLength(1);
    expect(blanked(text, true)).toHaveLength(text.length);
  });
});

describe('the rules can fail', () => {
  test.each([
    ['machines/model/a.ts', "import { x } from '../feed.machine.ts';"],
    ['machines/model/a.ts', "import { x } from 'xstate';"],
    ['machines/a.ts', "import fs from 'node:fs';"],
    ['machines/a.ts', "import fs from 'fs';"],
    ['machines/a.ts', "import type { X } from '../src/ports.ts';"],
    ['src/binance/a.ts', "import { x } from '../../machines/feed.machine.ts';"],
    ['src/binance/a.ts', "import { x } from 'node:path';"],
    ['src/binance/a.ts', "import ky from 'ky';"],
    ['src/ports.ts', "import { x } from './binance/venue.ts';"],
    ['src/store/a.ts', "import { x } from '../transport/ws.ts';"],
    ['src/store/a.ts', "import { x } from '../../machines/store.machine.ts';"],
    ['src/store/a.ts', "export * from '../actors/store.ts';"],
    ['src/store/a.ts', "new URL('../pipeline/worker.ts', import.meta.url)"],
    ['src/store/a.ts', "import { setTimeout } from 'node:timers/promises';"],
    ['src/store/a.ts', 'const x = await import(path);'],
    ['src/options.ts', "import { x } from './store/a.ts';"],
    ['src/actors/a.ts', "import { x } from '../wire.ts';"],
    ['src/wire.ts', "import { x } from './collector.ts';"],
    ['src/collector.ts', "import { x } from './cli/main.ts';"],
    ['src/collector.ts', "import { x } from './inspector/start.ts';"],
    ['src/inspector/a.ts', "import { x } from './page/main.tsx';"],
    ['src/inspector/page/a.tsx', "import { x } from '../protocol.ts';"],
    ['src/inspector/page/a.tsx', "import type { X } from '../../status.ts';"],
    ['src/index.ts', "import { x } from './cli/main.ts';"],
    ['src/index.ts', "import { x } from '../test/a.ts';"],
  ])('%s must not: %s', (path, source) => {
    expect(importOffences(one(path, `\n${source}`))).toEqual([expect.stringMatching(`^${path}:2: `)]);
  });

  test.each([
    ['machines/a.ts', "import { setup } from 'xstate'; import { b } from './model/b.ts';"],
    ['src/store/a.ts', "import type { X } from '../../machines/store.machine.ts'; import fs from 'node:fs';"],
    [
      'src/store/a.ts',
      "import { systemClock } from '../transport/clock.ts'; import { V } from '../binance/venue.ts';",
    ],
    ['src/store/a.ts', "import { setImmediate as turn } from 'node:timers/promises';"],
    ['src/wire.ts', "import { o } from './options.ts'; import { a } from './actors/a.ts';"],
    ['src/inspector/page/a.tsx', "import type { X } from '../protocol.ts'; setTimeout(f, 1);"],
    ['src/cli/main.ts', "import { s } from '../simulator/index.ts'; import { i } from '../index.ts';"],
  ])('%s may: %s', (path, source) => {
    expect(importOffences(one(path, source))).toEqual([]);
  });

  test('a room of one file may be split, and keeps its rules', () => {
    expect(roomOf('src/options.types.ts')).toBe('src/options.ts');
    expect(importOffences(one('src/options.types.ts', "import { a } from './wire.ts';"))).toHaveLength(1);
  });

  test('rooms: none read, unknown, missing', () => {
    expect(roomOffences(new Map())).toEqual(['no source was read']);
    const offences = roomOffences(one('src/utils/a.ts', ''));
    expect(offences).toContain('src/utils/a.ts: is in no room of the house');
    expect(offences).toContain('src/binance: missing or empty');
  });

  test.each(
    'Date.now()|new Date()|new Date|Math.random()|performance.now()|setTimeout(f, 1)|process.env|console.log(1)|fetch(u)|Buffer.from(b)'.split(
      '|',
    ),
  )('machines must not: %s', (code) => {
    expect(purityOffences(one('machines/a.ts', `\n${code};`))).not.toEqual([]);
  });

  test.each(
    'Date.now()|Math.random()|performance.now()|setTimeout(f, 1)|globalThis.setTimeout(f)'.split('|'),
  )('only the clock may: %s', (code) => {
    expect(purityOffences(one('src/store/a.ts', `\n${code};`))).toEqual([
      expect.stringMatching(/^src\/store\/a\.ts:2: /),
    ]);
    expect(purityOffences(one('src/transport/clock.ts', code))).toEqual([]);
  });

  test('what only looks impure is let through', () => {
    const machine =
      'new Date(at); const x = { process: 1, performance: y.performance }; a.fetch; // Date.now()';
    expect(purityOffences(one('machines/a.ts', machine))).toEqual([]);
    const adapter = "clock.setTimeout(f, 1); class C { setTimeout(f: F): T { return t; } } 'Math.random()'";
    expect(purityOffences(one('src/store/a.ts', adapter))).toEqual([]);
  });

  test('a chart without a sketch before its imports', () => {
    const sketch = '/**\n * a ─GO▶ b\n */\n';
    expect(sketchOffences(one('machines/a.machine.ts', `${sketch}import 'x';`))).toEqual([]);
    expect(sketchOffences(one('machines/a.ts', "import 'x';"))).toEqual([]);
    for (const source of [`import 'x';\n${sketch}`, "/** Goes from a to b. */\nimport 'x';"])
      expect(sketchOffences(one('machines/a.machine.ts', source))).toEqual([
        expect.stringMatching(/^machines\/a\.machine\.ts:1: no sketch/),
      ]);
  });

  test('venue, length, top level, dependencies', () => {
    const source = "\nconst u = 'wss://fstream.binance.com'; // fapi.binance";
    expect(venueOffences(one('src/store/a.ts', source))).toEqual([
      expect.stringMatching(/^src\/store\/a\.ts:2: /),
    ]);
    expect(venueOffences(one('src/binance/venue.ts', source))).toEqual([]);
    expect(lengthOffences(one('src/a.ts', 'x\n'.repeat(350)))).toEqual([]);
    expect(lengthOffences(one('src/a.ts', 'x\n'.repeat(351)))).toHaveLength(1);
    expect(topLevelOffences([])).toHaveLength(1);
    expect(topLevelOffences([...VISIBLE.split(' '), '.ci/x', 'notes.txt'])).toEqual([
      expect.stringMatching(/^notes/),
    ]);
    expect(topLevelOffences(VISIBLE.split(' ').slice(1))).toEqual(['src: missing at the top level']);
    expect(dependencyOffences(['ws', 'ky', '@a/b'], 'news about ky-universal, `ws` and @a/b.')).toEqual([
      expect.stringMatching(/^ky:/),
    ]);
  });

  test('A01 machines: no onError, spawning unguarded, no bound on loops', () => {
    const child = createMachine({});
    const careless = createMachine({
      id: 'm',
      invoke: { id: 'kid', src: child },
      entry: enqueueActions(({ enqueue }) => {
        enqueue.spawnChild(child);
      }),
    });
    expect(machineOffences(careless)).toEqual([
      'm: invokes kid without onError',
      'm: spawns children and does not handle xstate.error.actor.*',
      'm: options.maxIterations is Infinity, not 1000',
    ]);
    const careful = createMachine({
      options: { maxIterations: 1000 },
      invoke: { id: 'kid', src: child, onError: {} },
      entry: spawnChild(child),
      on: { 'xstate.error.actor.*': {} },
    });
    expect(machineOffences(careful)).toEqual([]);
  });
});
