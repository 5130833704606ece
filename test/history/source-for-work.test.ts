/** A source for as long as some work asks it: whatever becomes of the work, nothing is left. */
import { describe, expect, test } from 'vitest';
import { ConfigurationError } from '../../src/errors.ts';
import type { ReplacedFile } from '../../src/history/archive/archive-client.ts';
import type { HistorySource, Loaded } from '../../src/history/types.ts';
import { withHistorySource } from '../../src/wire.history-source.ts';
import { dayNumber, zipFor } from '../support/archive-files.ts';
import { archiveServer } from '../support/archive-server.ts';
import { folder, startExchange } from '../support/collector.ts';
import { within } from '../support/wait.ts';

const DAY = dayNumber(0);

/** All that the source has of that day. */
async function load(source: HistorySource, signal: AbortSignal, by: 'vision' | 'rest'): Promise<Loaded[]> {
  const { symbol, interval, from, to } = DAY;
  const plan = await source.plan({ symbol, interval, from, to, source: by }, signal);
  const all: Loaded[] = [];
  for await (const loaded of source.load(plan, signal)) all.push(loaded);
  return all;
}

describe('work that asks a source', () => {
  test('H11 hears of files that were published anew since they were kept', async () => {
    const server = await archiveServer(DAY);
    const replaced: ReplacedFile[] = [];
    const options = {
      source: 'vision',
      network: { visionUrl: server.url },
      cacheDir: folder(),
      onReplaced: (file: ReplacedFile) => replaced.push(file),
    } as const;
    const ask = () =>
      withHistorySource(options, async (source, signal) => void (await load(source, signal, 'vision')));
    await ask();
    await ask();
    expect(replaced).toEqual([]);
    server.add(DAY, zipFor(dayNumber(9)));
    await ask();
    expect(replaced).toMatchObject([{ path: DAY.path }]);
    expect(server.paths.filter((path) => path === `${DAY.path}.CHECKSUM`)).toHaveLength(3);
  });

  test('by REST has a session of its own, which is gone afterwards', async () => {
    const { restUrl } = await startExchange({ startTime: DAY.to + 86_400_000, timeScale: 1 });
    let kept: HistorySource | undefined;
    await withHistorySource({ source: 'rest', network: { restUrl } }, async (source, signal) => {
      kept = source;
      const parts = await load(source, signal, 'rest');
      expect(parts.flatMap(({ blocks }) => blocks).reduce((rows, block) => rows + block.rows, 0)).toBe(1_440);
    });
    const { symbol, interval, from, to } = DAY;
    await expect(
      within('an answer', kept!.plan({ symbol, interval, from, to, source: 'rest' })),
    ).rejects.toThrow('closed');
  });

  test('fails with its own error, and ends with the reason of the signal', async () => {
    const { restUrl } = await startExchange();
    const options = { source: 'rest', network: { restUrl } } as const;
    await expect(withHistorySource(options, () => Promise.reject(new Error('mine')))).rejects.toThrow('mine');
    const abort = new AbortController();
    let reached: AbortSignal | undefined;
    const working = withHistorySource({ ...options, signal: abort.signal }, (_, signal) => {
      reached = signal;
      abort.abort(new Error('enough'));
      return new Promise(() => {});
    });
    await expect(within('the end', working)).rejects.toThrow('enough');
    expect(reached?.aborted).toBe(true);
  });

  test('is not begun with options that can not work', async () => {
    const network = { restUrl: 'ftp://example.com' };
    await expect(withHistorySource({ source: 'rest', network }, async () => {})).rejects.toThrow(
      ConfigurationError,
    );
  });
});
