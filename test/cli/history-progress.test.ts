import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { ProgressView } from '../../src/cli/history-progress.ts';
import { Memo } from '../support/collector.ts';
import { until } from '../support/wait.ts';

/** A terminal, and what was written to it. */
function terminal() {
  let text = '';
  const stream = new Writable({
    write(chunk, _encoding, done) {
      text += String(chunk);
      done();
    },
  });
  return { stream: Object.assign(stream, { isTTY: true, columns: 120, rows: 24 }), text: () => text };
}

const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;

test('a bar on a terminal keeps no process alive, and hides no line of the log', async () => {
  const { stream, text } = terminal();
  const before = timers();
  const view = new ProgressView(stream, true);
  const shown = { done: 10, planned: 40, where: 'archive 2026-02-03', elapsedMs: 1_000 };
  view.begin(() => shown, new Memo());
  await until('the bar', () => text().includes('10/40 bars'));
  const written = Promise.withResolvers<void>();
  view.write('a line\n', () => written.resolve());
  expect(text()).toContain('a line\n');
  await written.promise;
  const drawn = text().length;
  await until('the bar again', () => text().slice(drawn).includes('10/40 bars'));
  expect(timers()).toBeLessThanOrEqual(before);
  view.end();
  expect(text().split('a line')).toHaveLength(2);
});
