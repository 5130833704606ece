/** Runs inputs against a part of the program, and makes an input small that broke it. */
import fc from 'fast-check';
import { seeded } from '../support/seeded.ts';

export type TargetName = 'frames' | 'archive' | 'configuration';
/** What became of an input. Anything that must not happen is thrown as {@link Wrong}. */
export type Verdict = 'accepted' | 'refused';

/** The program did with an input what it must never do. */
export class Wrong extends Error {}

interface Common {
  readonly target: TargetName;
  readonly name: string;
  /** Of a thousand inputs of its target. */
  readonly share: number;
  /** Puts away what it used. It may be used again. */
  readonly end?: () => void;
}
/** Inputs are bytes, mutated from a corpus. */
export interface BytesPart extends Common {
  readonly kind: 'bytes';
  draw(random: () => number): Buffer;
  check(bytes: Buffer): Verdict | Promise<Verdict>;
}
/** Inputs are values, drawn and made smaller by fast-check. */
export interface ValuesPart extends Common {
  readonly kind: 'values';
  readonly values: fc.Arbitrary<unknown>;
  check(value: unknown): Verdict | Promise<Verdict>;
}
export type Part = BytesPart | ValuesPart;

export interface Failure {
  readonly why: string;
  /** The smallest input that was found: base64 of bytes, or the value as it is written. */
  readonly input: string;
  /** The same for people to read. */
  readonly shown: string;
  /** How the one input is tried again by the command. */
  readonly repeat: string;
}
export interface Result {
  readonly part: Part;
  readonly inputs: number;
  readonly accepted: number;
  readonly refused: number;
  readonly wallMs: number;
  readonly failure?: Failure;
}
export interface CampaignOptions {
  readonly inputs: number;
  readonly seed: number;
  /** Told of each input of bytes before it is tried. */
  readonly onInput?: ((bytes: Buffer) => void) | undefined;
  /** Of one input of values: fast-check's path to it. */
  readonly path?: string | undefined;
}

/** An input that takes longer than this, three times in turn, hangs; ms. */
const SLOW_MS = 1_000;
const SMALLER_TRIES_MAX = 20_000;

/** What one try came to: a verdict, or what was wrong. */
async function attempt<Input>(
  check: (input: Input) => Verdict | Promise<Verdict>,
  input: Input,
): Promise<Verdict | Wrong> {
  let fastest = Number.POSITIVE_INFINITY;
  let verdict: Verdict = 'refused';
  // A machine with other work to do may stand still for a while, but not each time.
  for (let tries = 0; tries < 3 && fastest > SLOW_MS; tries++) {
    const before = performance.now();
    try {
      const said = check(input);
      verdict = typeof said === 'string' ? said : await said;
    } catch (error) {
      if (error instanceof Wrong) return error;
      const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
      return new Wrong(`threw ${what}`, { cause: error });
    }
    if (Object.keys(Object.prototype).length > 0)
      return new Wrong('the prototype of all objects was changed');
    fastest = Math.min(fastest, performance.now() - before);
  }
  return fastest > SLOW_MS ? new Wrong(`took ${Math.round(fastest)} ms`) : verdict;
}

/** Failures are of one kind when they say the same, whatever the values. */
const kindOf = (wrong: Wrong): string => wrong.message.replace(/["'\d].*/su, '');

/** The smallest bytes that still go wrong in the same way: cut as far as may be, then made plain. */
async function smaller(part: BytesPart, bytes: Buffer, wrong: Wrong): Promise<[Buffer, Wrong]> {
  let [best, said, tries] = [bytes, wrong, 0];
  const isStill = async (candidate: Buffer): Promise<boolean> => {
    const got = ++tries > SMALLER_TRIES_MAX ? 'refused' : await attempt(part.check, candidate);
    if (!(got instanceof Wrong) || kindOf(got) !== kindOf(wrong)) return false;
    [best, said] = [candidate, got];
    return true;
  };
  for (let size = bytes.length >> 1; size > 0; size = size === 1 ? 0 : size >> 1)
    for (let at = 0; at + size <= best.length && tries < SMALLER_TRIES_MAX; )
      if (!(await isStill(Buffer.concat([best.subarray(0, at), best.subarray(at + size)])))) at += size;
  for (let at = 0; at < best.length && tries < SMALLER_TRIES_MAX; at++)
    for (const plain of [0x30, 0x31, 0x61]) {
      if (best[at] === plain) break;
      const candidate = Buffer.from(best);
      candidate[at] = plain;
      if (await isStill(candidate)) break;
    }
  return [best, said];
}

const command = (part: Part): string =>
  `node test/fuzz/fuzz.ts --target ${part.target} --part '${part.name}'`;

async function overBytes(part: BytesPart, options: CampaignOptions): Promise<Result> {
  const random = seeded(options.seed ^ nameHash(part.name));
  const counts = { accepted: 0, refused: 0 };
  const begun = performance.now();
  for (let inputs = 1; inputs <= options.inputs; inputs++) {
    const bytes = part.draw(random);
    options.onInput?.(bytes);
    const got = await attempt(part.check, bytes);
    if (typeof got === 'string') {
      counts[got]++;
      continue;
    }
    const wallMs = performance.now() - begun;
    return {
      part,
      inputs,
      ...counts,
      wallMs,
      failure: failureOf(part, ...(await smaller(part, bytes, got))),
    };
  }
  return { part, inputs: options.inputs, ...counts, wallMs: performance.now() - begun };
}

export function failureOf(part: BytesPart, bytes: Buffer, wrong: Wrong): Failure {
  const input = bytes.toString('base64');
  return {
    why: wrong.message,
    input,
    shown: JSON.stringify(bytes.toString('latin1').slice(0, 400)),
    repeat: `${command(part)} --input '${input}'`,
  };
}

async function overValues(part: ValuesPart, options: CampaignOptions): Promise<Result> {
  const counts = { accepted: 0, refused: 0 };
  const begun = performance.now();
  let wrong: Wrong | undefined;
  const property = fc.asyncProperty(part.values, async (value) => {
    const got = await attempt(part.check, value);
    if (got instanceof Wrong) wrong = got;
    else if (wrong === undefined) counts[got]++;
    if (got instanceof Wrong) throw got;
  });
  const { path } = options;
  const seed = options.seed ^ nameHash(part.name);
  const found = await fc.check(property, {
    numRuns: options.inputs,
    seed,
    ...(path === undefined ? {} : { path, endOnFailure: true }),
  });
  const wallMs = performance.now() - begun;
  const result = { part, inputs: counts.accepted + counts.refused, ...counts, wallMs };
  if (!found.failed) return result;
  const { errorInstance, counterexample, counterexamplePath } = found;
  const shown = fc.stringify(counterexample?.[0]);
  const failure = {
    why: errorInstance instanceof Error ? errorInstance.message : String(errorInstance),
    input: shown,
    shown,
    repeat: `${command(part)} --seed ${options.seed} --path ${counterexamplePath}`,
  };
  return { ...result, inputs: result.inputs + 1, failure };
}

/** Parts draw different inputs from the same seed. */
const nameHash = (name: string): number =>
  [...name].reduce((hash, letter) => (Math.imul(hash, 31) + letter.charCodeAt(0)) | 0, 7);

/** As many inputs as wanted, or up to the first that goes wrong. */
export async function campaign(part: Part, options: CampaignOptions): Promise<Result> {
  try {
    return await (part.kind === 'bytes' ? overBytes(part, options) : overValues(part, options));
  } finally {
    part.end?.();
  }
}

/** One input of bytes, as the command is given it. */
export async function tryBytes(part: BytesPart, bytes: Buffer): Promise<Result> {
  const got = await attempt(part.check, bytes);
  part.end?.();
  const counts = {
    inputs: 1,
    accepted: Number(got === 'accepted'),
    refused: Number(got === 'refused'),
    wallMs: 0,
  };
  return got instanceof Wrong
    ? { part, ...counts, failure: failureOf(part, bytes, got) }
    : { part, ...counts };
}
