/** A collector at work on the embedded exchange, its inspector, and pages of a real browser on it. */
import type { Browser, Page } from 'playwright-core';
import { onTestFinished } from 'vitest';
import type { AnyActorRef } from 'xstate';
import { BinanceDataCollector, type CollectorOptions } from '../../src/index.ts';
import type { Inspector } from '../../src/inspector/options.ts';
import { startInspector } from '../../src/inspector/start.ts';
import { type SimulatedExchange, type SimulatorOptions, startSimulator } from '../../src/simulator/index.ts';
import { type Misdeeds, newPage } from '../support/browser.ts';
import { optionsFor } from '../support/collector.ts';

export interface Scene extends AsyncDisposable {
  readonly exchange: SimulatedExchange;
  readonly collector: BinanceDataCollector;
  readonly inspector: Inspector;
}

/** Everything of it is gone when it is disposed of. */
export async function openScene(
  options: Partial<CollectorOptions>,
  simulator: SimulatorOptions,
): Promise<Scene> {
  const exchange = await startSimulator(simulator);
  const collector = new BinanceDataCollector(optionsFor(exchange, options));
  await collector.startStreaming();
  const inspector = await startInspector(collector, { port: 0 });
  return {
    exchange,
    collector,
    inspector,
    async [Symbol.asyncDispose]() {
      await inspector.close();
      await collector.stop({ timeoutMs: 1_000 });
      await exchange.close();
    },
  };
}

export interface Opened {
  readonly page: Page;
  readonly misdeeds: Misdeeds;
  /** Texts that came over WebSockets. */
  readonly frames: readonly string[];
}

/** Opens the page, and closes it at the end of the test. `hash`: the actor that is shown, or `#charts`. */
export async function open(browser: Browser, { url }: Inspector, hash = ''): Promise<Opened> {
  const opened = await newPage(browser);
  onTestFinished(() => opened.page.close());
  await opened.page.goto(`${url}${hash}`);
  await opened.page.locator('[role=treeitem]').first().waitFor();
  return opened;
}

/** Every actor that lives below this one, and itself. */
export function namesBelow(actor: AnyActorRef): string[] {
  const { children } = actor.getSnapshot() as { children?: Record<string, AnyActorRef | undefined> };
  const below = Object.values(children ?? {}).flatMap((child) =>
    child === undefined ? [] : namesBelow(child),
  );
  return [actor.id, ...below];
}

/** The header of the actor in view: its path of names, machine, state and last transition. */
export const actorHeader = (page: Page) => page.locator('header.actor');
/** The lines of the list of transitions, newest first. */
export const transitions = (page: Page) => page.locator('.recent .step');
export const treeNames = (page: Page): Promise<string[]> =>
  page.locator('[role=treeitem] .name').allInnerTexts();

/** Opens what is folded away in the tree. */
export async function unfold(page: Page): Promise<void> {
  const folded = page.locator('[role=treeitem][aria-expanded=false] .twist');
  while ((await folded.count()) > 0) await folded.first().click();
}
