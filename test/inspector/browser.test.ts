/** What somebody sees who opens the page while a collector works: in a real browser, on the embedded exchange. */
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type AnyStateMachine, StateMachine, type StateNode } from 'xstate';
import * as machines from '../../machines/index.ts';
import { startInspector } from '../../src/inspector/start.ts';
import { browserMissing, choose, launchBrowser, newPage, search, type Watched } from '../support/browser.ts';
import { folder, QUICK } from '../support/collector.ts';
import { fastClock } from '../support/fast-clock.ts';
import { until } from '../support/wait.ts';
import {
  actorHeader,
  namesBelow,
  open,
  painted,
  ready,
  transitions,
  treeNames,
  unfold,
} from './browser.pages.ts';
import { openScene, type Scene } from './scene.ts';

const SECRETS = { apiKey: 'canary-key-51ab', apiSecret: 'canary-secret-77cd' };
const CHARTS = Object.values(machines).filter(
  (it) => it instanceof StateMachine,
) as unknown as AnyStateMachine[];

/** Where a text has one, with what is around it. */
const canariesIn = (text: string): string[] => text.match(/.{0,40}canary.{0,40}/g) ?? [];

/** Ids of all states of a chart. */
const idsOf = (node: StateNode<never, never>): string[] =>
  Object.values(node.states).flatMap((state) => [state.id, ...idsOf(state as StateNode<never, never>)]);

describe.skipIf(browserMissing)('the page', { timeout: 30_000 }, () => {
  let browser: Browser;
  let scene: Scene;
  /** One that somebody keeps open, while most of this happens. */
  let home: Watched;

  beforeAll(async () => {
    // A connection that may not come back is asked for again after a second: long enough to be looked at.
    const timing = {
      ...QUICK,
      pingIntervalMs: 5_000,
      backoff: { baseMs: 1_000, maxMs: 1_000, slowMs: 1_000 },
    };
    [browser, scene] = await Promise.all([
      launchBrowser(),
      openScene({ timing, ...SECRETS }, { timeScale: 300, symbols: ['BTCUSDT', 'ETHUSDT'] }),
    ]);
    // In a checkout that is new it is built first.
    await fetch(scene.inspector.url);
    home = await newPage(browser);
    await home.page.goto(scene.inspector.url);
    await ready(home.page);
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await scene?.[Symbol.asyncDispose]();
  });

  const expectNoMisdeeds = (): void => expect(home.misdeeds).toEqual({ outside: [], complaints: [] });

  test('asks nothing of anybody but this machine, complains of nothing, and shows every actor', async () => {
    const { page } = home;
    await unfold(page);
    const names = namesBelow(scene.collector.actor);
    expect(names.length).toBeGreaterThan(10);
    expect(await treeNames(page)).toEqual(expect.arrayContaining(names.slice(1)));
    await page.getByText('streaming').first().waitFor();
    expectNoMisdeeds();
  });

  test('a socket is dropped: its connection waits, dials, and is live again, each step with its cause', async () => {
    const { page } = home;
    await choose(page, 'feed0.a');
    await page.getByRole('button', { name: 'this actor' }).click();
    const state = actorHeader(page).locator('.pill');
    const isActive = (id: string) => page.locator(`.chart svg [data-state="connection.${id}"].active`);
    await state.getByText('live').waitFor();
    await isActive('attached.open.live').waitFor();

    // It stays away until somebody has seen that.
    scene.exchange.inject({ kind: 'refuse', status: 503 });
    scene.exchange.inject({ kind: 'drop', code: 1012, reason: 'restart' });
    await state.getByText('waiting').waitFor();
    await isActive('waiting').waitFor();
    await transitions(page).filter({ hasText: 'waiting' }).filter({ hasText: '1012' }).waitFor();
    await transitions(page).filter({ hasText: 'waiting' }).filter({ hasText: '503' }).first().waitFor();
    expect(await isActive('attached.open.live').count()).toBe(0);

    scene.exchange.clearFaults();
    await state.getByText('live').waitFor();
    await isActive('attached.open.live').waitFor();
    expect(await isActive('waiting').count()).toBe(0);
    const story = async () => (await transitions(page).allInnerTexts()).reverse().join('\n');
    await expect
      .poll(story)
      .toMatch(/with 1012: restart.*after backoff.*with HTTP 503.*after backoff.*SOCKET\.OPENED.*live/s);
    expectNoMisdeeds();
  });

  test('the chart of every machine is drawn with all of its states', async () => {
    const { page } = home;
    await page.evaluate("location.hash = '#charts'");
    const choices = page.getByRole('navigation', { name: 'Machines' }).getByRole('button');
    expect((await choices.locator('span').allInnerTexts()).sort()).toEqual(CHARTS.map(({ id }) => id).sort());
    for (const { id, root } of CHARTS) {
      await choices.filter({ has: page.getByText(id, { exact: true }) }).click();
      const drawing = page
        .locator('.chart svg')
        .filter({ has: page.locator(`[data-state^="${id}."]`) })
        .first();
      await drawing.waitFor();
      const { width = 0, height = 0 } = (await drawing.boundingBox()) ?? {};
      expect(Math.min(width, height), id).toBeGreaterThan(50);
      const drawn = await drawing
        .locator('[data-state]')
        .evaluateAll((nodes) => nodes.map((node) => node.getAttribute('data-state')));
      expect(drawn, id).toEqual(expect.arrayContaining(idsOf(root as never)));
      const heights = await drawing
        .locator('text')
        .evaluateAll((nodes) => nodes.map((node) => node.getBoundingClientRect().height));
      expect(Math.min(...heights.filter((height) => height > 0)), id).toBeGreaterThan(9.5);
      const words = await drawing.textContent();
      for (const state of Object.keys(root.states)) expect(words, id).toContain(state);
    }
    expectNoMisdeeds();
  });

  test('a candle closes on the chart of its stream', async () => {
    const { page } = home;
    await choose(page, 'ETHUSDT@1m');
    const chart = page.locator('[data-series="ETHUSDT@1m"][data-bars]');
    await chart.locator('canvas').first().waitFor();
    const last = async (): Promise<number> => Number(await chart.getAttribute('data-last-open'));
    const before = await last();
    expect(before % 60_000).toBe(0);
    await expect.poll(last).toBeGreaterThan(before);
    const bars = scene.collector.getCandleBuffer('ETHUSDT', '1m').map(({ openTime }) => openTime);
    expect(bars).toContain(await last());
    await expect.poll(() => painted(page, ['bar-up', 'bar-down'])).toBeGreaterThan(100);
    expectNoMisdeeds();
  });

  test('bars that the exchange lacks are marked on the chart, and what fills them is too', async () => {
    // Minutes of asking pass in a second.
    const clock = fastClock(40);
    const patient = {
      openTimeoutMs: 400_000,
      ackTimeoutMs: 400_000,
      pongTimeoutMs: 400_000,
      silenceMs: 400_000,
    };
    await using lacking = await openScene(
      {
        symbols: ['BTCUSDT'],
        clock,
        timing: patient,
        store: join(folder(), 'candles.db'),
        connectTimeoutMs: 'never',
      },
      { timeScale: 20, clock, symbols: ['BTCUSDT'] },
    );
    const { page } = await open(browser, lacking.inspector);
    await choose(page, 'BTCUSDT@1m');
    const chart = page.locator('[data-series="BTCUSDT@1m"][data-bars]');
    await chart.waitFor();
    await until('a bar', () => lacking.collector.getCandleBuffer('BTCUSDT', '1m').length > 0);
    lacking.exchange.inject({ kind: 'closes', mode: 'omit', times: 2 });
    lacking.exchange.inject({ kind: 'rest', path: '/fapi/v1/klines', body: [] });
    await expect.poll(() => chart.getAttribute('data-gaps'), { timeout: 12_000 }).not.toBe('0');
    await expect.poll(() => painted(page, ['gap'], 0.14)).toBeGreaterThan(100);
    lacking.exchange.clearFaults();
    await expect.poll(() => chart.getAttribute('data-filled'), { timeout: 12_000 }).not.toBe('0');
    await expect.poll(() => painted(page, ['gap'], 0.07)).toBeGreaterThan(100);
  });

  test('who comes later sees the same', async () => {
    await choose(home.page, 'feed0.a');
    scene.exchange.inject({ kind: 'drop', code: 1012, reason: 'before they came' });
    await transitions(home.page).filter({ hasText: 'before they came' }).waitFor();
    const { page: late } = await open(browser, scene.inspector);
    const pages = [home.page, late];
    /** Both, at one time: a heart that beats between two looks is seen by one of them alone. */
    const expectSame = (look: (page: Page) => Promise<string[]>) =>
      expect
        .poll(async () => {
          const [before, after] = await Promise.all(pages.map(look));
          return before?.join() === after?.join() ? 'the same' : { before, after };
        })
        .toBe('the same');
    for (const page of pages) await search(page, '');
    await unfold(late);
    await expectSame(treeNames);
    for (const page of pages) {
      await choose(page, 'feed0.a');
      await page.getByRole('button', { name: 'this actor' }).click();
    }
    await transitions(late).filter({ hasText: 'before they came' }).waitFor();
    await expectSame((page) => transitions(page).allInnerTexts());
  });

  test('an address shows the same actor again', async () => {
    const { page } = home;
    await choose(page, 'BTCUSDT@1m');
    await expect.poll(() => page.evaluate<string>('location.hash')).toContain('BTCUSDT');
    await page.reload();
    await actorHeader(page).getByRole('heading', { name: 'BTCUSDT@1m' }).waitFor();
  });

  test('everything can be done by keyboard', async () => {
    const { page } = home;
    await ready(page);
    await page.keyboard.press('/');
    await page.keyboard.type('klineStream');
    await expect
      .poll(async () => (await treeNames(page)).filter((name) => name.startsWith('stream.')).length)
      .toBe(2);
    await page.keyboard.press('ArrowDown');
    const shown = actorHeader(page).getByRole('heading');
    await page.keyboard.press('Enter');
    await expect.poll(() => shown.innerText()).toBe('stream.BTCUSDT@1m');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await expect.poll(() => shown.innerText()).not.toBe('stream.BTCUSDT@1m');

    const background = () => page.evaluate<string>('getComputedStyle(document.body).backgroundColor');
    const before = await background();
    await page.keyboard.press('t');
    expect(await background()).not.toBe(before);
    await page.keyboard.press('?');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    expect(await page.getByRole('dialog').isVisible()).toBe(false);
  });

  test('X01: no secret is on the page or on its way there', async () => {
    const { page, frames } = home;
    scene.exchange.inject({ kind: 'drop', code: 1008, reason: 'apiKey=canary-word-9e2f' });
    await choose(page, 'feed0.a');
    await transitions(page).filter({ hasText: '1008' }).first().waitFor();
    const context = page.getByRole('region', { name: 'Context' });
    for (const name of ['collector', 'feed0', 'feed0.a', 'rest', 'store']) {
      await choose(page, name);
      const answer = page.waitForResponse(/\/api\/actors\//);
      await context.getByRole('button', { name: 'Read' }).click();
      expect(canariesIn(await (await answer).text()), name).toEqual([]);
      await context.locator('.json').waitFor();
      expect(canariesIn(await page.content()), name).toEqual([]);
    }
    expect(frames.length).toBeGreaterThan(0);
    expect(canariesIn(frames.join('\n'))).toEqual([]);
  });

  test('the hosted viewer, when it is there, hears of every actor', async () => {
    await using inspector = await startInspector(scene.collector, { port: 0, viewer: 'stately' });
    const { page, misdeeds, close } = await newPage(browser);
    onTestFinished(close);
    // In its place what speaks as it does.
    const body = `<!doctype html><script>
      const heard = [];
      onmessage = ({ data }) => heard.push(data);
      parent.postMessage({ type: '@statelyai.connected' }, '*');
    </script>`;
    await page.route('https://stately.ai/inspect', (route) =>
      route.fulfill({ contentType: 'text/html', body }),
    );
    await page.goto(`${inspector.url}stately`);
    const viewer = page.frameLocator('#viewer').owner();
    const frame = await (await viewer.elementHandle())?.contentFrame();
    const names = async () => (await frame?.evaluate<string[]>('heard.map(({ name }) => name)')) ?? [];
    await expect.poll(names).toEqual(expect.arrayContaining(namesBelow(scene.collector.actor).slice(1)));
    expect(misdeeds).toEqual({ outside: ['https://stately.ai/inspect'], complaints: [] });
  });

  test('when the collector is gone the page says so', async () => {
    const { page } = home;
    await search(page, '');
    await scene.inspector.close();
    await page.getByText('The collector is gone').first().waitFor();
    expect((await treeNames(page)).length).toBeGreaterThan(0);
  });
});
