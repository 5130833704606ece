/** Ten thousand actors in a real browser. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Inspector } from '../../src/inspector/options.ts';
import { startInspector } from '../../src/inspector/start.ts';
import { browserMissing, launchBrowser, newPage, search, type Watched } from '../support/browser.ts';
import { ready } from './browser.pages.ts';
import { type Crowd, crowd } from './crowd.ts';

const STREAMS = 10_000;
/** A page is fluid when what is typed is seen within this, ms; on a machine that does much else besides. */
const SEEN_WITHIN_MS = 200;

/**
 * Types a text into the field that has the focus. How long each letter took to be on the screen, ms: two frames, for
 * what is asked for in one is drawn by the next.
 */
const TYPE = `async (text) => {
  const field = document.activeElement;
  const took = [];
  const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
  for (const letter of text) {
    await frame();
    const began = performance.now();
    field.value += letter;
    field.dispatchEvent(new InputEvent('input', { bubbles: true }));
    await frame();
    await frame();
    took.push(performance.now() - began);
  }
  return took;
}`;

describe.skipIf(browserMissing)('ten thousand actors', { timeout: 20_000 }, () => {
  let browser: Browser;
  let many: Crowd;
  let inspector: Inspector;
  let looking: Watched;

  beforeAll(async () => {
    [browser, many] = await Promise.all([launchBrowser(), crowd({ streams: STREAMS, bars: 10 })]);
    inspector = await startInspector(many.collector, { port: 0 });
    // In a checkout that is new it is built first.
    await fetch(inspector.url);
    looking = await newPage(browser);
    await looking.page.goto(inspector.url);
    await ready(looking.page);
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await inspector?.close();
    await many?.stop();
  });

  test('are all there, and few of them in the document', async () => {
    const { page, misdeeds } = looking;
    const lines = page.locator('[role=treeitem]');
    await search(page, 'stream.');
    const hits = page.locator('.hits');
    await expect
      .poll(async () => Number((await hits.innerText()).split('/')[0]?.replace(/\D/g, '')))
      .toBeGreaterThanOrEqual(STREAMS);
    expect(Number((await hits.innerText()).split('/')[1]?.replace(/\D/g, ''))).toBeGreaterThanOrEqual(10_000);
    expect(await lines.count()).toBeGreaterThan(10);
    expect(await lines.count()).toBeLessThan(200);
    expect(await page.locator('*').count()).toBeLessThan(3_000);
    expect(misdeeds).toEqual({ outside: [], complaints: [] });
  });

  test('are searched while one types, though all of them change state', async () => {
    const { page } = looking;
    await search(page, '');
    const storm = setInterval(() => many.storm(), 250);
    try {
      const took = await page.evaluate<number[], string>(`(${TYPE})('coin1234')`, '');
      const median = took.toSorted((a, b) => a - b)[took.length >> 1];
      expect(median).toBeLessThan(SEEN_WITHIN_MS);
    } finally {
      clearInterval(storm);
    }
    const names = page.locator('[role=treeitem]:not(.dimmed) .name');
    await expect
      .poll(() => names.allInnerTexts())
      .toEqual(
        ['stream.COIN1234USDT@1m', 'stream.COIN1234USDT@5m'].filter((name) =>
          many.series.some(({ symbol, interval }) => name === `stream.${symbol}@${interval}`),
        ),
      );
  });
});
