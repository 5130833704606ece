/**
 * The process that looks through a store: a question as JSON on standard input, an answer a line on standard output. A
 * process and no thread: SQLite gives no way to interrupt a check, a thread can't be ended in the middle of one,
 * and the exit of the process would wait for it.
 */
import { readFileSync, writeSync } from 'node:fs';
import { checkFile, type FileQuestion } from './check.file.ts';

const STANDARD_INPUT = 0;
const STANDARD_OUTPUT = 1;

const question = JSON.parse(readFileSync(STANDARD_INPUT, 'utf8')) as FileQuestion;
checkFile(question, (check) => void writeSync(STANDARD_OUTPUT, `${JSON.stringify(check)}\n`));
