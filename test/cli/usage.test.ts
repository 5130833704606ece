import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { run } from '../../src/cli/program.ts';
import { contentsOf, emptyFolder, start } from './child.ts';

const CANARY = 'canary-9f3b1c';
const LOCAL = ['--ws-url', 'ws://127.0.0.1:9', '--rest-url', 'http://127.0.0.1:9'];

interface Wrong {
  readonly title: string;
  readonly args: readonly string[];
  /** What standard error must name. */
  readonly names: string | RegExp;
  readonly env?: NodeJS.ProcessEnv;
}

const collect = (
  title: string,
  args: readonly string[],
  names: string | RegExp,
  env?: NodeJS.ProcessEnv,
): Wrong => ({
  title,
  args: ['collect', ...args],
  names,
  ...(env === undefined ? {} : { env }),
});

const WRONG: readonly Wrong[] = [
  { title: 'no command', args: [], names: 'Usage: candlestate' },
  { title: 'a command that is none', args: ['colect'], names: 'colect' },
  { title: 'a flag before any command', args: ['--symbols', 'BTCUSDT'], names: '--symbols' },
  collect('a flag that is none', ['--simbols', 'BTCUSDT'], '--simbols'),
  collect('a word too many', ['BTCUSDT'], 'too many arguments'),
  collect('a flag without its value', ['--symbols'], '--symbols'),
  collect('no symbol in the list', ['--symbols', ''], '--symbols'),
  collect('an empty item among symbols', ['--symbols', 'BTCUSDT,,ETHUSDT'], '--symbols'),
  collect('a symbol that can not be one', ['--symbols', 'BTC/USDT'], '--symbols'),
  collect('a symbol twice', ['--symbols', 'btcusdt,BTCUSDT'], '--symbols'),
  collect('all among symbols', ['--symbols', 'BTCUSDT,ALL'], /--symbols.*every perpetual that trades/),
  collect(
    'a symbol that the simulated exchange lacks',
    ['--symbols', 'FOOUSDT'],
    /--symbols.*unknown symbol/,
  ),
  collect('an interval that is none', ['--intervals', '7m'], '--intervals'),
  collect("the archive's name of a month", ['--intervals', '1mo'], /--intervals.*1M is a month/),
  collect('an hour in upper case', ['--intervals', '1H'], /--intervals.*did you mean 1h/),
  collect('an interval twice', ['--intervals', '1m,1m'], '--intervals'),
  collect('a network that is none', ['--network', 'main'], '--network'),
  collect('a network together with URLs', ['--network', 'testnet', ...LOCAL], '--network'),
  collect(
    'the simulator together with a URL',
    ['--network', 'simulator', '--rest-url', 'http://127.0.0.1:9'],
    '--network',
  ),
  collect('a stream URL alone', ['--ws-url', 'ws://127.0.0.1:9'], /--rest-url.*missing/),
  collect('a REST URL alone', ['--rest-url', 'http://127.0.0.1:9'], /--ws-url.*missing/),
  collect('an archive URL alone', ['--vision-url', 'https://example.com'], /--ws-url.*missing/),
  collect(
    'a plain stream to another host',
    ['--ws-url', 'ws://example.com', '--rest-url', 'https://example.com'],
    '--ws-url',
  ),
  collect(
    'a REST URL with a path',
    ['--ws-url', 'wss://example.com', '--rest-url', 'https://example.com/fapi'],
    '--rest-url',
  ),
  collect('an archive URL that is none', [...LOCAL, '--vision-url', 'nowhere'], '--vision-url'),
  collect(
    'credentials in a URL',
    ['--ws-url', `wss://me:${CANARY}@h.example`, '--rest-url', 'https://h.example'],
    '--ws-url',
  ),
  collect('a time scale on testnet', ['--network', 'testnet', '--time-scale', '60'], '--time-scale'),
  collect('a time scale on mainnet', ['--network', 'mainnet', '--time-scale', '2'], '--time-scale'),
  collect('a time scale of nothing', ['--time-scale', '0'], '--time-scale'),
  collect('a time scale in words', ['--time-scale', 'fast'], '--time-scale'),
  collect('a negative time scale', ['--time-scale=-5'], '--time-scale'),
  collect('a store in a folder that is not there', ['--db', 'no/such/folder/x.db'], '--db'),
  collect('a folder as store', ['--db', '.'], '--db'),
  collect('a store in memory', ['--db', ':memory:'], '--db'),
  collect('a duration without a unit', ['--duration', '90'], '--duration'),
  collect('a duration of nothing', ['--duration', '0s'], '--duration'),
  collect('a duration that no timer holds', ['--duration', '25d'], '--duration'),
  collect('a backfill that is no time', ['--backfill', 'yesterday'], '--backfill'),
  collect('a backfill of eleven years', ['--backfill', '4018d'], '--backfill'),
  collect('a stop timeout of nothing', ['--stop-timeout', '0ms'], '--stop-timeout'),
  collect('an output that is none', ['--stdout', 'csv'], '--stdout'),
  collect('a port that is none', ['--port', '65536'], '--port'),
  collect('a URL to listen on', ['--host', 'http://127.0.0.1'], '--host'),
  collect('a host with a port', ['--host', '127.0.0.1:8787'], '--host'),
  collect('a URL as a name', ['--allow-hosts', 'a.lan,http://b.lan/'], /--allow-hosts: .*b\.lan/),
  collect('a port without a page', ['--port', '8080', '--no-http'], '--port'),
  collect('a host without a page', ['--host', '0.0.0.0', '--no-http'], '--host'),
  collect('a viewer without a page', ['--inspect', 'stately', '--no-http'], '--inspect'),
  collect('a viewer that is none', ['--inspect', 'xstate'], '--inspect'),
  collect('names of nobody', ['--allow-hosts', 'a,,b'], '--allow-hosts'),
  collect('a level that is none', ['--log-level', 'loud'], '--log-level'),
  collect('a log format that is none', ['--log-format', 'xml'], '--log-format'),
  collect('a configuration file that is not there', ['--config', 'none.json'], '--config'),
  collect('a secret on the command line', [`--api-secret=${CANARY}`], '--api-secret'),
  collect('a wrong value in the environment', [], /--intervals \(CANDLESTATE_INTERVALS\)/, {
    CANDLESTATE_INTERVALS: '9m',
  }),
  { title: 'a port of simulate that is none', args: ['simulate', '--port', 'x'], names: '--port' },
  { title: 'a seed that is no number', args: ['simulate', '--seed', '1.5'], names: '--seed' },
  {
    title: 'a time scale of simulate in words',
    args: ['simulate', '--time-scale', 'NaN'],
    names: '--time-scale',
  },
  { title: 'a symbol of simulate twice', args: ['simulate', '--symbols', 'A,a'], names: '--symbols' },
  {
    title: 'a recording that is not there',
    args: ['simulate', '--replay', 'no/such/folder'],
    names: '--replay',
  },
  { title: 'a flag of simulate that is none', args: ['simulate', '--db', 'x.db'], names: '--db' },
];

/** One of each kind is shown by a process, as a user would see it; the others by what the bin runs: a tenth of the time. */
const BY_PROCESS: ReadonlySet<string> = new Set([
  'no command',
  'a flag that is none',
  'a symbol that the simulated exchange lacks',
  'a store in a folder that is not there',
  'a secret on the command line',
  'a wrong value in the environment',
  'a recording that is not there',
]);

/** A command line in this process, in a folder of its own. */
async function runHere(args: readonly string[], { cwd, env = {} }: { cwd: string; env?: NodeJS.ProcessEnv }) {
  const before = process.cwd();
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    vi.spyOn(process[name], 'write').mockImplementation((text) => {
      said[name] += String(text);
      return true;
    });
  process.chdir(cwd);
  try {
    const code = await run(args, env);
    return { code, ...said };
  } finally {
    process.chdir(before);
    vi.restoreAllMocks();
  }
}

describe('wrong usage', () => {
  test.each(WRONG)(
    'O01 $title ends with 2, names it and creates nothing',
    async ({ title, args, names, env }) => {
      const options = { cwd: emptyFolder(), ...(env ? { env } : {}) };
      const ended = BY_PROCESS.has(title) ? start(args, options).ended() : runHere(args, options);
      const { code, stdout, stderr } = await ended;
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      if (typeof names === 'string') expect(stderr).toContain(names);
      else expect(stderr).toMatch(names);
      expect(stderr).not.toContain(CANARY);
      expect(contentsOf(options.cwd)).toEqual([]);
    },
  );

  test('what is shown by a process is among it', () => {
    const titles = WRONG.map(({ title }) => title);
    expect([...BY_PROCESS].filter((title) => !titles.includes(title))).toEqual([]);
  });
});

describe('wrong files', () => {
  const WRONG_FILES: readonly (readonly [string, string, RegExp])[] = [
    ['is no JSON', `{"apiSecret": "${CANARY}"`, /--config: "c\.json".*JSON/],
    ['is a list', '[]', /--config.*one JSON object/],
    ['has a setting that is none', '{"symbol": ["BTCUSDT"]}', /--config.*"symbol".*did you mean symbols\?/],
    [
      'has a secret under a misspelled name',
      `{"apiSecrett": "${CANARY}"}`,
      /--config.*did you mean apiSecret\?/,
    ],
    ['has a null', '{"db": null}', /--config \(db/],
    ['has a wrong value', '{"stopTimeout": 5}', /--stop-timeout \(stopTimeout in "c\.json"\): 5/],
    ['names another configuration file', '{"config": "d.json"}', /--config.*"config"/],
  ];
  test.each(WRONG_FILES)(
    'a configuration file that %s ends with 2 and names it',
    async (_, content, names) => {
      const cwd = emptyFolder();
      writeFileSync(join(cwd, 'c.json'), content);
      const { code, stderr } = await start(['collect', '--config', 'c.json'], { cwd }).ended();
      expect(code).toBe(2);
      expect(stderr).toMatch(names);
      expect(stderr).not.toContain(CANARY);
      expect(contentsOf(cwd)).toEqual(['c.json']);
    },
  );

  test('S12 a file that is no store ends with 2, names --db and is left as it was', async () => {
    const cwd = emptyFolder();
    writeFileSync(join(cwd, 'notes.txt'), 'not a database');
    const { code, stderr } = await start(['collect', '--db', 'notes.txt'], { cwd }).ended();
    expect(code).toBe(2);
    expect(stderr).toContain('--db: "notes.txt"');
    expect(contentsOf(cwd)).toEqual(['notes.txt']);
  });

  test('S12 a file in the place of the default folder ends with 2 and names --db', async () => {
    const cwd = emptyFolder();
    writeFileSync(join(cwd, 'data'), '');
    const { code, stderr } = await start(['collect'], { cwd }).ended();
    expect(code).toBe(2);
    expect(stderr).toContain('--db');
  });

  test('a folder as configuration file ends with 2', async () => {
    const cwd = emptyFolder();
    mkdirSync(join(cwd, 'folder'));
    const { code, stderr } = await start(['collect', '--config', 'folder'], { cwd }).ended();
    expect({ code, named: stderr.includes('--config') }).toEqual({ code: 2, named: true });
  });
});

describe('asked for help', () => {
  test.each([[['--help']], [['collect', '--help']], [['simulate', '-h']], [['help', 'collect']]])(
    '%s goes to standard output and ends with 0',
    async (args) => {
      const { code, stdout, stderr } = await start(args, { cwd: emptyFolder() }).ended();
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).toContain('Usage: candlestate');
    },
  );

  test('the help of collect tells defaults and exit codes', async () => {
    const { stdout } = await start(['collect', '--help'], { cwd: emptyFolder() }).ended();
    for (const text of [
      'BTCUSDT,ETHUSDT,SOLUSDT',
      '130 / 143',
      '--stop-timeout',
      '--no-http',
      'CANDLESTATE_',
    ]) {
      expect(stdout).toContain(text);
    }
  });

  test('the version is that of the package', async () => {
    const { code, stdout } = await start(['--version'], { cwd: emptyFolder() }).ended();
    expect({ code, stdout }).toEqual({ code: 0, stdout: '0.1.0\n' });
  });
});
