/** Pages of a real browser on an inspector, and what is where on them. */
import type { Browser, Page } from 'playwright-core';
import { onTestFinished } from 'vitest';
import type { AnyActorRef } from 'xstate';
import type { Inspector } from '../../src/inspector/options.ts';
import { newPage, type Watched } from '../support/browser.ts';

/** Opens the page, and closes it at the end of the test. `hash`: the actor that is shown, or `#charts`. */
export async function open(browser: Browser, { url }: Inspector, hash = ''): Promise<Watched> {
  const opened = await newPage(browser);
  onTestFinished(() => opened.close());
  await opened.page.goto(`${url}${hash}`);
  await ready(opened.page);
  return opened;
}

/** It has its first picture. */
export const ready = (page: Page): Promise<void> => page.locator('[role=treeitem]').first().waitFor();

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

const COUNT = `(node, names, share) => {
  const style = getComputedStyle(node);
  const pen = document.createElement('canvas').getContext('2d');
  // Whatever way it is written, a pen has it as #rrggbb.
  const channels = (name) => {
    pen.fillStyle = style.getPropertyValue('--' + name).trim();
    return [1, 3, 5].map((at) => Number.parseInt(pen.fillStyle.slice(at, at + 2), 16));
  };
  const panel = channels('panel');
  const wanted = names.map((name) => channels(name).map((value, i) => value * share + panel[i] * (1 - share)));
  let count = 0;
  for (const canvas of node.querySelectorAll('canvas')) {
    if (canvas.width * canvas.height === 0) continue;
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    for (let at = 0; at < data.length; at += 4)
      if (data[at + 3] === 255 && wanted.some((one) => one.every((value, i) => Math.abs(value - data[at + i]) < 3)))
        count++;
  }
  return count;
}`;

/**
 * How many pixels of the candle chart have one of these colours of the theme, so much of it over the panel: what is
 * really drawn, and not only known.
 */
export const painted = (page: Page, colours: readonly string[], share = 1): Promise<number> =>
  page.evaluate<number>(
    `(${COUNT})(document.querySelector('[data-bars]'), ${JSON.stringify(colours)}, ${share})`,
  );
