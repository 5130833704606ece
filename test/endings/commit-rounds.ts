/** Two signals while a transaction is being written, again and again, on two programs; each end judged from outside. */
import {
  closeSync,
  cpSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { comes } from '../support/program.ts';
import { type RemoteExchange, startRemoteExchange } from '../support/remote-exchange.ts';
import { oneOf, seeded } from '../support/seeded.ts';
import { Brake, slowDown, waitsForLock } from './brake.ts';
import type { EmbedderOptions } from './embedder.ts';
import { CANDLESTATE, Child, EMBEDDER, isPending } from './launch.ts';
import { collectLogComplaints, numberedLogComplaints } from './log-facts.ts';
import { barsIn, factsOf } from './store-facts.ts';

export interface RoundsOptions {
  readonly rounds: number;
  readonly seed: number;
  /** An empty folder; the folders of rounds that failed stay in it. */
  readonly folder: string;
  readonly say: (line: string) => void;
}

export interface RoundsResult {
  /** From the second signal to the end, ms, each round. */
  readonly tookMs: number[];
  readonly complaints: string[];
}

const SYMBOLS = ['BTCUSDT', 'SOLUSDT'];
/** Of the run that makes the store; the rounds begin without a bar. */
const MAKER = 'ETHUSDT';
const BACKFILL_MS = 3 * 86_400_000;
const LIMIT_MS = 1_000;
const SECOND_AFTER_MS = { from: 3, to: 300 };
/** From the first bar that is stored to the first signal. */
const LIFE_MS_MAX = 600;

/** What is thrown for a round. */
interface Dice {
  readonly program: 'embedder' | 'collect';
  /** A transaction is open and rows are in it, or it waits for another program's to end. */
  readonly commit: 'writing' | 'waiting';
  /** Where the log goes: a file by a stream, a file as standard error, or a pipe that we read. */
  readonly log: 'stream' | 'file' | 'pipe';
  readonly signals: readonly ['SIGINT' | 'SIGTERM', 'SIGINT' | 'SIGTERM'];
  readonly lifeMs: number;
  readonly apartMs: number;
}

/** Programs and kinds of commit take turns, so that a few rounds have them all. */
function throwDice(number: number, random: () => number): Dice {
  const program = number % 2 === 1 ? 'embedder' : 'collect';
  const signal = () => oneOf(['SIGINT', 'SIGTERM'] as const, random);
  const { from, to } = SECOND_AFTER_MS;
  return {
    program,
    commit: number % 3 === 2 ? 'waiting' : 'writing',
    log: oneOf(
      program === 'embedder' ? (['stream', 'stream', 'file', 'pipe'] as const) : (['file', 'pipe'] as const),
      random,
    ),
    signals: [signal(), signal()],
    lifeMs: random() * LIFE_MS_MAX,
    apartMs: from + random() * (to - from),
  };
}

/** Each round asks for three days of bars: more of them would be over the weight that an address has in a minute. */
const ROUNDS_OF_AN_EXCHANGE = 10;

export async function runRounds({ rounds, seed, folder, say }: RoundsOptions): Promise<RoundsResult> {
  const random = seeded(seed);
  const result: RoundsResult = { tookMs: [], complaints: [] };
  for (let from = 1; from <= rounds; from += ROUNDS_OF_AN_EXCHANGE) {
    const place = join(folder, `from-${from}`);
    mkdirSync(place);
    await using exchange = await startRemoteExchange(
      { seed, timeScale: 60, symbols: [...SYMBOLS, MAKER] },
      place,
    );
    const template = await makeSlowStore(exchange, place);
    const to = Math.min(rounds, from + ROUNDS_OF_AN_EXCHANGE - 1);
    for (let number = from; number <= to; number++)
      await runRound(number, throwDice(number, random), { exchange, template, folder, say, result });
  }
  return result;
}

/** The moment of the second signal had passed when the rig looked: such a round shows nothing, and is done again. */
class MomentMissed extends Error {}
const TRIES_MAX = 3;

async function tryRound(
  number: number,
  dice: Dice,
  scene: { readonly exchange: RemoteExchange; readonly template: string; readonly folder: string },
  tries: number,
): Promise<{ place: string; took: number; text: string; wrong: string[] }> {
  const place = join(scene.folder, `round-${number}${tries === 1 ? '' : `-${tries}`}`);
  mkdirSync(place);
  cpSync(scene.template, join(place, 'candles.db'));
  try {
    return { place, ...(await new Round(scene.exchange, place, dice).run()) };
  } catch (error) {
    if (error instanceof MomentMissed && tries < TRIES_MAX) return tryRound(number, dice, scene, tries + 1);
    return { place, took: Number.NaN, text: '', wrong: [(error as Error).message] };
  }
}

async function runRound(
  number: number,
  dice: Dice,
  scene: {
    readonly exchange: RemoteExchange;
    readonly template: string;
    readonly folder: string;
    readonly say: RoundsOptions['say'];
    readonly result: RoundsResult;
  },
): Promise<void> {
  const { place, took, text, wrong } = await tryRound(number, dice, scene, 1);
  const { program, commit, log, signals, apartMs } = dice;
  const what = `${program}, log by ${log}, commit ${commit}, ${signals[0]}, ${Math.round(apartMs)} ms, ${signals[1]}`;
  const verdict =
    wrong.length === 0 ? `exit 1 after ${took.toFixed(0)} ms, ${text}` : `BROKEN ${wrong.join('; ')}`;
  scene.say(`round ${number}: ${what}: ${verdict}`);
  if (Number.isFinite(took)) scene.result.tookMs.push(took);
  scene.result.complaints.push(...wrong.map((one) => `round ${number}: ${one} (${place})`));
  if (wrong.length === 0) rmSync(place, { recursive: true, force: true });
}

const urlsOf = ({ wsUrl, restUrl, timeScale }: RemoteExchange): string[] => [
  '--ws-url',
  wsUrl,
  '--rest-url',
  restUrl,
  '--time-scale',
  String(timeScale),
];

/** A store that has its tables, and none of the bars that the rounds collect. */
async function makeSlowStore(exchange: RemoteExchange, folder: string): Promise<string> {
  const path = join(folder, 'template.db');
  const flags = ['--db', path, '--symbols', MAKER];
  await using maker = new Child([...CANDLESTATE, 'collect', ...urlsOf(exchange), ...flags], { cwd: folder });
  await maker.says('→ streaming');
  maker.kill('SIGTERM');
  await maker.end();
  slowDown(path);
  return path;
}

class Round {
  readonly #exchange: RemoteExchange;
  readonly #folder: string;
  readonly #dice: Dice;
  readonly #store: string;
  readonly #logFile: string;
  readonly #numberFile: string;
  readonly #candleFile: string;

  constructor(exchange: RemoteExchange, folder: string, dice: Dice) {
    this.#exchange = exchange;
    this.#folder = folder;
    this.#dice = dice;
    this.#store = join(folder, 'candles.db');
    this.#logFile = join(folder, 'log.txt');
    this.#numberFile = join(folder, 'number.txt');
    this.#candleFile = join(folder, 'candles.jsonl');
  }

  async run(): Promise<{ took: number; text: string; wrong: string[] }> {
    const { commit, signals, lifeMs, apartMs } = this.#dice;
    using brake = new Brake(this.#store);
    const before = barsIn(this.#store);
    await using child = this.#start();
    await comes('the first batch', () => barsIn(this.#store) > before);
    await sleep(lifeMs);

    const isInside = (): boolean => (commit === 'waiting' ? waitsForLock(child.pid) : brake.isCommitting());
    if (commit === 'waiting') brake.hold(5_000);
    await comes('a commit under way at the first signal', isInside);
    child.kill(signals[0]);
    // What waits for us goes on waiting.
    const wasInside = commit === 'waiting' || isInside();
    await sleep(apartMs);
    await comes('the first signal taken', () => !isPending(child.pid, signals[0]));
    await comes('a commit under way at the second signal', isInside, 1_000).catch((cause: Error) => {
      throw new MomentMissed(cause.message, { cause });
    });
    const askedAt = child.kill(signals[1]);
    const { code, killed, at, stderr } = await child.end();
    brake.release();
    if (this.#dice.log === 'pipe') writeFileSync(this.#logFile, stderr);

    const took = at - askedAt;
    const wrong: string[] = [];
    if (code !== 1 || killed) wrong.push(`exit ${code}${killed ? ' by a signal' : ''}, not 1`);
    if (took >= LIMIT_MS) wrong.push(`it took ${took.toFixed(0)} ms`);
    const { complaints, candles } = factsOf(this.#store);
    wrong.push(...complaints, ...this.#logComplaints());
    // A commit may end in the very moment of the first signal; the next one was under way at the second.
    const first = wasInside ? '' : ', the first signal at the end of a commit';
    return { took, text: `${candles - before} bars${first}`, wrong };
  }

  #logComplaints(): string[] {
    const log = readFileSync(this.#logFile, 'utf8');
    if (this.#dice.program === 'embedder') {
      return numberedLogComplaints(log, Number(readFileSync(this.#numberFile, 'utf8')));
    }
    return collectLogComplaints(
      log,
      existsSync(this.#candleFile) ? readFileSync(this.#candleFile, 'utf8') : '',
    );
  }

  #start(): Child {
    return this.#dice.program === 'embedder' ? this.#startEmbedder() : this.#startCollect();
  }

  #startEmbedder(): Child {
    const { log } = this.#dice;
    const { wsUrl, restUrl, timeScale } = this.#exchange;
    const options: EmbedderOptions = {
      collect: {
        symbols: SYMBOLS,
        intervals: ['1m'],
        network: { wsUrl, restUrl },
        timeScale,
        store: this.#store,
        backfillMs: BACKFILL_MS,
      },
      numberFile: this.#numberFile,
      ...(log === 'stream' ? { logFile: this.#logFile } : {}),
    };
    return this.#withLog(
      (stderr) =>
        new Child(EMBEDDER, {
          cwd: this.#folder,
          env: { EMBEDDER: JSON.stringify(options) },
          stdio: ['ignore', 'ignore', stderr],
        }),
    );
  }

  #startCollect(): Child {
    const what = [
      '--symbols',
      SYMBOLS.join(','),
      '--intervals',
      '1m',
      '--backfill',
      '3d',
      '--stdout',
      'jsonl',
    ];
    const stdout = openSync(this.#candleFile, 'w');
    try {
      return this.#withLog(
        (stderr) =>
          new Child([...CANDLESTATE, 'collect', ...urlsOf(this.#exchange), ...what, '--db', this.#store], {
            cwd: this.#folder,
            stdio: ['ignore', stdout, stderr],
          }),
      );
    } finally {
      closeSync(stdout);
    }
  }

  /** The child has a descriptor of its own; ours is of no more use. */
  #withLog(start: (stderr: number | 'pipe') => Child): Child {
    if (this.#dice.log !== 'file') return start('pipe');
    const file = openSync(this.#logFile, 'a');
    try {
      return start(file);
    } finally {
      closeSync(file);
    }
  }
}
