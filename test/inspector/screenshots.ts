/**
 * Pictures of the page, to be looked at: `node test/inspector/screenshots.ts FOLDER`. At 1280 × 800: home, the chart of a
 * connection that waits for its next dial, a stream with bars of three sources and a gap, a thousand actors, all charts;
 * and the first of them in the dark.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { startInspector } from '../../src/inspector/start.ts';
import { choose, launchBrowser, newPage } from '../support/browser.ts';
import { crowd } from './crowd.ts';
import { openScene } from './scene.ts';

const folder = process.argv[2];
if (folder === undefined || process.argv.length > 3) {
  process.stderr.write('one argument: the folder for the pictures\n');
  process.exit(2);
}
mkdirSync(folder, { recursive: true });

/** Until what moves has come to rest, and what was just lit up no longer is; ms. */
const SETTLED_MS = 1_200;
const HOUR_MS = 3_600_000;

const browser = await launchBrowser();
const store = mkdtempSync(join(tmpdir(), 'candlestate-'));

/** Opens the page and takes a picture of what `show` has made of it. */
async function picture(
  name: string,
  url: string,
  show: (page: Page) => Promise<void>,
  isDark = false,
): Promise<void> {
  const { page, misdeeds, close } = await newPage(browser, isDark);
  await page.goto(url);
  await page.locator('[role=treeitem]').first().waitFor();
  await show(page);
  await page.screenshot({ path: join(folder as string, `${name}.png`) });
  await close();
  process.stdout.write(`${name}.png\n`);
  for (const misdeed of [...misdeeds.outside, ...misdeeds.complaints]) process.stderr.write(`  ${misdeed}\n`);
}

const settle = (): Promise<void> => sleep(SETTLED_MS);

try {
  {
    await using scene = await openScene(
      {
        symbols: ['BTCUSDT', 'ETHUSDT', 'SOLUSDT', 'XRPUSDT'],
        intervals: ['1m', '5m', '1h'],
        backfillMs: 12 * HOUR_MS,
        store: join(store, 'candles.db'),
        timing: { backoff: { baseMs: 20_000, maxMs: 20_000 } },
      },
      { timeScale: 60, symbols: ['BTCUSDT', 'ETHUSDT', 'SOLUSDT', 'XRPUSDT'] },
    );
    const { url } = scene.inspector;
    await sleep(6_000);
    await picture('home', url, settle);
    await picture('home-dark', url, settle, true);
    const toStream = async (page: Page): Promise<void> => {
      await choose(page, 'BTCUSDT@1m');
      await settle();
    };
    await picture('stream', url, toStream);
    await picture('stream-dark', url, toStream, true);
    await picture('charts', url, async (page) => {
      await page.keyboard.press('c');
      await settle();
    });
    await picture('help', url, async (page) => {
      await page.keyboard.press('?');
      await settle();
    });
    const toBackoff = async (page: Page): Promise<void> => {
      await choose(page, 'feed0.a');
      await sleep(300);
      scene.exchange.inject({ kind: 'drop', code: 1012, reason: 'service restart' });
      await page.locator('header.actor .pill').getByText('waiting').waitFor();
      await sleep(2_500);
    };
    await picture('connection-backoff', url, toBackoff);
    await picture(
      'connection-backoff-dark',
      url,
      async (page) => {
        await choose(page, 'feed0.a');
        await settle();
      },
      true,
    );
  }
  {
    const many = await crowd({ streams: 490, streamsPerFeed: 70, bars: 110, framesPerSecond: 5_400 });
    await using inspector = await startInspector(many.collector, { port: 0 });
    const troubled = many.series.filter((_, number) => number % 41 === 7);
    for (const [number, series] of troubled.entries())
      if (number % 2 === 0) await many.silence(series, 'quiet');
      else many.hole(series);
    many.drop('feed3.a');
    await picture('thousand', inspector.url, settle);
    await picture('gap', inspector.url, async (page) => {
      await choose(page, 'ETHUSDT@1m');
      // Bars of all three sources are in sight.
      await page.locator('.candle-frame').focus();
      for (let times = 0; times < 3; times++) await page.keyboard.press('-');
      await settle();
    });
    await picture('search', inspector.url, async (page) => {
      await page.keyboard.press('/');
      await page.keyboard.type('repairing');
      await settle();
    });
    const gone = await startInspector(many.collector, { port: 0 });
    await picture('gone', gone.url, async () => {
      await settle();
      await gone.close();
      await settle();
    });
    await many.stop();
  }
} finally {
  await browser.close();
  rmSync(store, { recursive: true, force: true });
}
