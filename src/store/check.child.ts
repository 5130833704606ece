/**
 * The process that looks through a store: a question as JSON on standard input, an answer a line on standard output. A
 * process and no thread: SQLite gives no way to interrupt a check, a thread can't be ended in the middle of one,
 * and the exit of the process would wait for it.
 */
import { readFileSync, writeSync } from 'node:fs';
import { checkFile } from './check.file.ts';
import type { LookQuestion } from './look-process.ts';
import { verifyFile } from './verify.file.ts';

const STANDARD_INPUT = 0;
const STANDARD_OUTPUT = 1;

function say(answer: unknown): void {
  const bytes = Buffer.from(`${JSON.stringify(answer)}\n`);
  for (let at = 0; at < bytes.length; ) at += writeSync(STANDARD_OUTPUT, bytes, at);
}

const question = JSON.parse(readFileSync(STANDARD_INPUT, 'utf8')) as LookQuestion;
if (question.look === 'check') checkFile(question, say);
else verifyFile(question, say);
