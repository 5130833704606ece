/** Hunts one defect: the seeds of the simulation, in a process of its own, until one finds it. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { ChildAnswer, ChildQuestion } from './mutant.child.ts';
import type { Mutant } from './mutant.ts';

const CHILD = fileURLToPath(new URL('mutant.child.ts', import.meta.url));
const ANSWER_BYTES_MAX = 1_000_000;
const run = promisify(execFile);

/** How it ended: found, as the list says it is; found by another invariant first; not found; or nothing came of it. */
export type Fate = 'caught' | 'miscaught' | 'survived' | 'failed';

export interface Catch {
  readonly mutant: Mutant;
  readonly fate: Fate;
  readonly seed: number | undefined;
  /** What was broken first, or why nothing came of it. */
  readonly first: string;
  readonly tookMs: number;
}

/** Asks a process of its own. Rejects when it ends without an answer, or has none within `timeoutMs`. */
export async function ask(question: ChildQuestion, timeoutMs: number): Promise<ChildAnswer> {
  const { stdout } = await run(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', CHILD, JSON.stringify(question)],
    {
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
      maxBuffer: ANSWER_BYTES_MAX,
    },
  );
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as ChildAnswer;
}

export async function hunt(
  mutant: Mutant,
  question: Omit<ChildQuestion, 'mutant'>,
  timeoutMs: number,
): Promise<Catch> {
  const begun = performance.now();
  const end = (fate: Fate, first: string, seed?: number): Catch => ({
    mutant,
    fate,
    seed,
    first,
    tookMs: performance.now() - begun,
  });
  let answer: ChildAnswer;
  try {
    answer = await ask({ ...question, mutant: mutant.name }, timeoutMs);
  } catch (error) {
    return end('failed', lastLineOf(error));
  }
  const [first] = answer.violations;
  if (first === undefined) return end('survived', '');
  const named = new Set<string>([mutant.invariant, ...(mutant.also ?? [])]);
  const isNamed = named.has(first.invariant);
  return end(
    isNamed ? 'caught' : 'miscaught',
    `${first.invariant} ${first.name}: ${first.detail}`,
    answer.seed,
  );
}

function lastLineOf(error: unknown): string {
  const { killed, stderr = '' } = error as { killed?: boolean; stderr?: string };
  if (killed === true) return 'no answer in time';
  const lines = stderr.split('\n').filter((line) => /\S/.test(line));
  return lines.find((line) => /Error\b/.test(line)) ?? lines.at(-1) ?? String(error);
}
