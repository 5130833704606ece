/** Where figures go. All of it is tried before anything is measured, and written behind that. */
import { closeSync, existsSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { BASELINE_FILE, readBaseline } from './baseline.ts';
import type { Flags } from './flags.ts';
import { markdownOf, placed, type Report } from './report.ts';

type Outputs = Pick<Flags, 'out' | 'readme' | 'check' | 'record' | 'baseline'>;

function refused(flag: string, file: string, what: string, attempt: () => unknown): void {
  try {
    attempt();
  } catch (error) {
    throw new RangeError(`--${flag}: ${file} ${what}: ${(error as Error).message}`);
  }
}

/** Leaves no trace of a file that was not there. */
function touch(file: string): void {
  const isNew = !existsSync(file);
  closeSync(openSync(file, 'a'));
  if (isNew) rmSync(file);
}

/** @throws {RangeError} that names the flag and the file when one cannot be written, or says nothing that is needed. */
export function checkOutputs({ out, readme, check, record, baseline = BASELINE_FILE }: Outputs): void {
  for (const file of out) refused('out', file, 'cannot be written', () => touch(file));
  if (readme !== undefined) {
    refused('readme', readme, 'cannot be filled in', () => placed(readFileSync(readme, 'utf8'), ''));
    refused('readme', readme, 'cannot be written', () => touch(readme));
  }
  if (check && !existsSync(baseline))
    throw new RangeError(`--check: ${baseline} is missing; --record writes it`);
  if (check || record) refused('baseline', baseline, 'cannot be read', () => readBaseline(baseline));
  if (record) refused('baseline', baseline, 'cannot be written', () => touch(baseline));
}

/** Prints the tables, and writes them into the files that were asked for. */
export function writeOutputs(report: Report, { out, readme }: Pick<Outputs, 'out' | 'readme'>): void {
  const markdown = markdownOf(report);
  process.stdout.write(markdown);
  for (const file of out)
    writeFileSync(file, file.endsWith('.md') ? markdown : `${JSON.stringify(report, undefined, 2)}\n`);
  if (readme !== undefined) writeFileSync(readme, placed(readFileSync(readme, 'utf8'), markdown));
}
