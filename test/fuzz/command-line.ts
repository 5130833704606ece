/** Fuzzing of what the commands are told: by flags, by a file and by the environment. */
import { writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { planCollect } from '../../src/cli/collect-plan.ts';
import { COLLECT_READERS, readCollectSettings } from '../../src/cli/collect-settings.ts';
import { EXPORT_READERS } from '../../src/cli/export-plan.ts';
import { planHistoryCommand } from '../../src/cli/history-settings.ts';
import { environmentNameOf, flagOf, flagSource, readSettings } from '../../src/cli/settings.ts';
import { VERIFY_READERS } from '../../src/cli/verify-plan.ts';
import { resolveHistoryOptions } from '../../src/options.history.ts';
import { oneOf } from '../support/seeded.ts';
import { mutateBytes } from './bytes.ts';
import { type BytesPart, type ValuesPart, type Verdict, Wrong } from './campaign.ts';
import { mutateJson } from './json.ts';
import { asRefusal, CANARY, odd, outcomeOf, TEXTS } from './odd-values.ts';
import { Scratch } from './scratch.ts';

type Texts = Record<string, string>;
type Fields = Record<string, unknown>;

/** Of settings that mean something by themselves: how they may be written, and what that means. */
const MEANINGS: Readonly<Record<string, readonly (readonly [given: string, meaning: unknown])[]>> = {
  symbols: [
    ['BTCUSDT', ['BTCUSDT']],
    [' ethusdt , SOLUSDT ', ['ethusdt', 'SOLUSDT']],
    ['all', ['all']],
  ],
  intervals: [
    ['1m,5m', ['1m', '5m']],
    ['1M', ['1M']],
  ],
  duration: [
    ['90s', 90_000],
    ['1.5m', 90_000],
    ['24d', 2_073_600_000],
    ['1ms', 1],
  ],
  backfill: [
    ['2h', 7_200_000],
    ['3653d', 315_619_200_000],
  ],
  stopTimeout: [
    ['5s', 5_000],
    ['0.001s', 1],
  ],
  stdout: [['jsonl', 'jsonl']],
  logLevel: [
    ['debug', 'debug'],
    ['error', 'error'],
  ],
  logFormat: [
    ['json', 'json'],
    ['text', 'text'],
  ],
  db: [['fuzz-none.db', 'fuzz-none.db']],
}; // prettier-ignore
/** Of these no text is right, whatever the other settings. */
const WRONG: Readonly<Record<string, readonly string[]>> = {
  symbols: ['', ',', 'A,,B', ' '],
  intervals: [',', '1m,'],
  duration: ['0s', '90', '-1s', '1e3s', '25d', `${'9'.repeat(15)}d`, ' 5s', '5 s', '5S', '0x5s', '١s'],
  backfill: ['0h', '3654d', 'NaN'],
  stopTimeout: ['never', '25d', '0.0001s'],
  stdout: ['json', 'JSONL'],
  logLevel: ['loud', 'INFO'],
  logFormat: ['xml'],
};
const LOOSE: Readonly<Record<string, readonly string[]>> = {
  network: ['simulator', 'testnet', 'mainnet', 'custom'],
  wsUrl: ['ws://127.0.0.1:1', 'ws://far.example', `wss://u:${CANARY}@h`],
  restUrl: ['http://127.0.0.1:1', `https://h/?key=${CANARY}`],
  visionUrl: ['https://h'],
  timeScale: ['1', '60', '0', '1e3', '100001'],
  port: ['0', '8787', '65536', '-1', '1.5'],
  noHttp: ['true', 'false', 'maybe'],
  host: ['127.0.0.1', '::1', '[::1]', 'http://h', 'a b'],
  allowHosts: ['collector.lan', ','],
  inspect: ['stately', 'other'],
  apiKey: [CANARY],
  apiSecret: [CANARY],
};

const source = fc
  .subarray([...Object.keys(MEANINGS), ...Object.keys(LOOSE)], { maxLength: 6 })
  .chain(
    (names) =>
      fc.record(Object.fromEntries(names.map((name) => [name, textOf(name)]))) as fc.Arbitrary<Texts>,
  );
function textOf(name: string): fc.Arbitrary<string> {
  const right = [...(MEANINGS[name] ?? []).map(([given]) => given), ...(LOOSE[name] ?? [])];
  const wrong = fc.constantFrom(...(WRONG[name] ?? ['']), ...(name === 'db' ? [''] : TEXTS));
  return fc.oneof({ arbitrary: fc.constantFrom(...right), weight: 10 }, { arbitrary: wrong, weight: 1 });
}

const scratch = new Scratch();

/** Flags over the file over the environment; all that can't be read is named, with its flag. */
function checkSources(input: unknown): Verdict {
  const { flags, file, env } = input as { flags: Texts; file: Texts | undefined; env: Texts };
  const config = scratch.path('config.json');
  if (file !== undefined) writeFileSync(config, JSON.stringify(file));
  const environment = Object.fromEntries(
    Object.entries(env).map(([name, text]) => [environmentNameOf(name), text]),
  );
  const got = outcomeOf(() => {
    const settings = readCollectSettings(file === undefined ? flags : { ...flags, config }, environment);
    return { settings, plan: planCollect(settings) };
  });
  const told = 'refusal' in got ? got.refusal.issues.map(({ option }) => option) : [];
  for (const name of Object.keys(MEANINGS)) {
    const given = flags[name] ?? file?.[name] ?? (env[name] === '' ? undefined : env[name]);
    if (given === undefined) continue;
    const meaning = MEANINGS[name]?.find(([text]) => text === given)?.[1];
    const isNamed = told.some((option) => option === flagOf(name) || option.startsWith(`${flagOf(name)} (`));
    if (WRONG[name]?.includes(given) && !isNamed)
      throw new Wrong(`${name} is ${JSON.stringify(given)} and not named`);
    if ('refusal' in got || meaning === undefined) continue;
    const read = (got.value.settings.values as Fields)[name];
    if (JSON.stringify(read) !== JSON.stringify(meaning))
      throw new Wrong(`${name} of ${given} means ${JSON.stringify(read)}`);
  }
  if ('refusal' in got) return 'refused';
  const { plan, settings } = got.value;
  const { wsUrl, network } = settings.values;
  if (plan.embedded !== (wsUrl === undefined && (network ?? 'simulator') === 'simulator'))
    throw new Wrong('another exchange');
  if (plan.origin !== (wsUrl === undefined ? (network ?? 'simulator') : 'custom'))
    throw new Wrong('another origin');
  return 'accepted';
}

/** Whatever a file or a program hands to the readers of a command. */
function checkReaders(input: unknown): Verdict {
  const { command, values } = input as { command: string; values: Fields };
  const got = outcomeOf((): unknown => {
    if (command === 'verify') return readSettings(VERIFY_READERS, [flagSource(values)]);
    if (command === 'export') return readSettings(EXPORT_READERS, [flagSource(values)]);
    if (command === 'history') return resolveHistoryOptions(planHistoryCommand(values, {}).options);
    return planCollect(readSettings(COLLECT_READERS, [flagSource(values)]));
  });
  return 'refusal' in got ? 'refused' : 'accepted';
}

const READERS = [
  ...new Set([
    ...Object.keys(COLLECT_READERS),
    ...Object.keys(VERIFY_READERS),
    ...Object.keys(EXPORT_READERS),
    'force',
    'cacheGb',
    'dryRun',
    'out',
  ]),
]; // prettier-ignore
const anything = fc.oneof(
  odd,
  fc.constantFrom<unknown>(
    '1m',
    'BTCUSDT',
    '2021-01-31',
    '2021-01-31T12:30Z',
    1_735_689_600_000,
    '8640000000000001',
    '9999-12-31',
    true,
    'true',
  ),
); // prettier-ignore

const part = (
  name: string,
  share: number,
  values: fc.Arbitrary<unknown>,
  check: ValuesPart['check'],
): ValuesPart => ({
  target: 'configuration',
  kind: 'values',
  name,
  share,
  values,
  check,
  end: () => scratch.remove(),
});

export const sourcesPart = (): ValuesPart =>
  part(
    'flags, file and environment',
    100,
    fc.record({ flags: source, file: fc.option(source, { nil: undefined }), env: source }),
    checkSources,
  ); // prettier-ignore
export const readersPart = (): ValuesPart =>
  part(
    'values of settings',
    100,
    fc.record({
      command: fc.constantFrom('collect', 'history', 'verify', 'export'),
      values: fc.dictionary(fc.constantFrom(...READERS), anything, { maxKeys: 6 }),
    }),
    checkReaders,
  ); // prettier-ignore

/** A port or a path that is wrong is shown, whatever it is. */
const isMisplaced = (parsed: unknown): boolean =>
  Object.entries(parsed ?? {}).some(
    ([name, value]) => !name.startsWith('api') && JSON.stringify([name, value]).includes(CANARY),
  );

/** A file must be one JSON object of known names without null; else it is refused as `--config`, and nothing of it shown. */
function checkFile(bytes: Buffer): Verdict {
  const config = scratch.path('config.json');
  writeFileSync(config, bytes);
  let parsed: unknown;
  try {
    parsed = JSON.parse(bytes.toString('utf8').replace(/^\ufeff/u, ''));
  } catch {
    parsed = undefined;
  }
  const isObject = typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed);
  const isKnown = Object.entries(parsed ?? {}).every(
    ([name, value]) => Object.hasOwn(COLLECT_READERS, name) && value !== null,
  );
  try {
    readCollectSettings({ config }, {});
  } catch (error) {
    const { issues, message } = asRefusal(error, isMisplaced(parsed));
    const isOfFile = issues.every(({ option }) => option.startsWith('--config'));
    if ((!isObject || !isKnown) && !isOfFile) throw new Wrong(`not refused as a file: ${message}`);
    if (isObject && isKnown && isOfFile) throw new Wrong(`a sound file is refused: ${message}`);
    return 'refused';
  }
  if (!isObject || !isKnown) throw new Wrong('a file that is none is taken');
  return 'accepted';
}

const FILES = [
  {
    symbols: ['BTCUSDT'],
    intervals: '1m,5m',
    network: 'simulator',
    timeScale: 60,
    stopTimeout: '5s',
    noHttp: true,
  },
  {
    wsUrl: 'ws://127.0.0.1:1',
    restUrl: 'http://127.0.0.1:2',
    port: 0,
    allowHosts: ['a', 'b'],
    apiKey: CANARY,
  },
  { db: 'data/x.db', duration: '90s', backfill: '2h', stdout: 'jsonl', logLevel: 'info', logFormat: 'text' },
];

export const configFilePart = (): BytesPart => ({
  target: 'configuration',
  kind: 'bytes',
  name: 'config file',
  share: 50,
  draw(random) {
    const value = oneOf(FILES, random);
    const bytes = Buffer.from(random() < 0.7 ? mutateJson(value, random) : JSON.stringify(value));
    return random() < 0.5
      ? bytes
      : mutateBytes(bytes, random, () => Buffer.from(JSON.stringify(oneOf(FILES, random))));
  },
  check: checkFile,
  end: () => scratch.remove(),
});
