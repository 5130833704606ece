/** Draws every statechart into `docs`: `npm run charts`. */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { gallery } from './gallery.ts';

const docs = new URL('../../../docs/', import.meta.url);
const files = await gallery();

mkdirSync(new URL('charts/', docs), { recursive: true });
for (const name of readdirSync(new URL('charts/', docs)))
  if (!files.has(`charts/${name}`)) rmSync(new URL(`charts/${name}`, docs));
for (const [path, text] of files) writeFileSync(new URL(path, docs), text);
process.stdout.write(`${files.size} files written to docs\n`);
