/** Draws every statechart into `docs`: `npm run charts`. */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gallery } from './gallery.ts';

const docs = join(import.meta.dirname, '../../../docs');
const charts = join(docs, 'charts');
const files = await gallery();

mkdirSync(charts, { recursive: true });
for (const name of readdirSync(charts)) if (!files.has(`charts/${name}`)) rmSync(join(charts, name));
for (const [path, text] of files) writeFileSync(join(docs, path), text);
process.stdout.write(`${files.size} files written to ${docs}\n`);
