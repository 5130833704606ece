/**
 * Fuzzing by command: `node test/fuzz/fuzz.ts --inputs 1000000 --seed 1 [--target frames|archive|configuration|all]`.
 * `--part NAME` takes one part of a target, `--input BASE64` or `--path PATH` (with `--seed`) one input of it. Exit 0: no
 * input did what must not be; 1: one did, and is printed with the line that repeats it; 2: wrong usage.
 */
import { parseArgs } from 'node:util';
import { numberOf, toldOf } from '../support/command.ts';
import { campaign, type Result, tryBytes } from './campaign.ts';
import { partsOf, TARGETS } from './parts.ts';
import { watchdog } from './watchdog.ts';

function readFlags() {
  const { values } = parseArgs({
    options: {
      inputs: { type: 'string', default: '1000000' },
      seed: { type: 'string', default: String(1 + (Date.now() % 1_000_000)) },
      target: { type: 'string', default: 'all' },
      part: { type: 'string' },
      input: { type: 'string' },
      path: { type: 'string' },
    },
  });
  const targets = values.target === 'all' ? TARGETS : TARGETS.filter(({ name }) => name === values.target);
  if (targets.length === 0)
    throw new RangeError(`--target: ${values.target} is none of frames, archive, configuration, all`);
  const parts = targets.flatMap((target) => {
    const all = partsOf(target.name);
    const shares = targets.reduce((sum, { share }) => sum + share, 0);
    return all.map((part) => ({ part, share: (target.share / shares) * (part.share / 1_000) }));
  });
  const chosen = values.part === undefined ? parts : parts.filter(({ part }) => part.name === values.part);
  if (chosen.length === 0)
    throw new RangeError(
      `--part: ${values.part} is none of ${parts.map(({ part }) => part.name).join(', ')}`,
    );
  if ((values.input ?? values.path) !== undefined && chosen.length !== 1)
    throw new RangeError('--input, --path: with --part');
  return {
    ...values,
    inputs: numberOf(values, 'inputs', 1, 1_000_000_000),
    seed: numberOf(values, 'seed', 1, Number.MAX_SAFE_INTEGER),
    chosen,
  };
}

/** More than this and something grows with what it is told, MB. */
const MEMORY_MAX_MB = 1_024;

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const count = (value: number): string => value.toLocaleString('en').padStart(9);

function sayResult({ part, inputs, accepted, refused, wallMs, failure }: Result): void {
  const rate = Math.round(inputs / Math.max(0.001, wallMs / 1_000));
  const name = `${part.target}: ${part.name}`.padEnd(34);
  say(
    `${name}${count(inputs)} inputs ${count(accepted)} accepted ${count(refused)} refused ${count(rate)}/s  ${failure === undefined ? 'kept' : 'BROKEN'}`,
  );
  if (failure === undefined) return;
  say(`  ${failure.why}\n  input: ${failure.shown}`);
  if (part.kind === 'bytes')
    say(`  base64: ${failure.input}\n  hex: ${Buffer.from(failure.input, 'base64').toString('hex')}`);
  say(`  repeat: ${failure.repeat}`);
}

async function all(flags: ReturnType<typeof readFlags>): Promise<number> {
  const { inputs, seed, chosen, input, path } = flags;
  const shares = chosen.reduce((sum, { share }) => sum + share, 0);
  const dog = watchdog();
  const results: Result[] = [];
  for (const { part, share } of chosen) {
    const own = Math.max(1, Math.round((inputs * share) / shares));
    dog.begin(part);
    const result =
      input !== undefined && part.kind === 'bytes'
        ? await tryBytes(part, Buffer.from(input, 'base64'))
        : await campaign(part, { inputs: own, seed, path, onInput: dog.note });
    results.push(result);
    sayResult(result);
  }
  await dog.end();
  const broken = results.filter(({ failure }) => failure !== undefined);
  const total = results.reduce((sum, result) => sum + result.inputs, 0);
  const seconds = results.reduce((sum, { wallMs }) => sum + wallMs, 0) / 1_000;
  const rss = Math.round(process.resourceUsage().maxRSS / 1_024);
  const verdict =
    broken.length > 0
      ? `${broken.length} BROKEN`
      : rss > MEMORY_MAX_MB
        ? `BROKEN: more than ${MEMORY_MAX_MB} MB`
        : 'no crash, no wrong value';
  const rate = Math.round(total / Math.max(0.001, seconds)).toLocaleString('en');
  say(
    `seed ${seed}: ${total.toLocaleString('en')} inputs in ${seconds.toFixed(1)} s (${rate}/s), ${rss} MB at most: ${verdict}`,
  );
  return verdict.includes('BROKEN') ? 1 : 0;
}

const flags = toldOf(readFlags);
if (flags !== undefined) process.exitCode = await all(flags);
