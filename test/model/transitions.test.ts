import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { machineModels } from './machines.ts';
import { summary } from './summary.ts';

const FILE = new URL('../../docs/transitions.md', import.meta.url);
const COMMAND = 'UPDATE=1 npx vitest run test/model/transitions.test.ts';

const document = (): string => `# Transitions

Every transition of every statechart in \`machines/\`, and how many obligations the tests walk: each
transition taken, and each guard seen refusing. Walked on the real machines, under simulated time, with
children that really end or fail. A test fails when this file is stale. It is written by

    ${COMMAND}

${summary(machineModels)}
`;

test('docs/transitions.md says what the machines are and what is walked', () => {
  const generated = document();
  if (process.env['UPDATE'] === '1') writeFileSync(FILE, generated);
  expect(readFileSync(FILE, 'utf8'), `stale; write it again with: ${COMMAND}`).toBe(generated);
}, 60_000);
