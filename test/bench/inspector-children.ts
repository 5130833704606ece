/** The processes around the one that is measured. */
import { choose, launchBrowser, newPage } from '../support/browser.ts';
import { type Child, launch as launchChild } from './child.ts';

/** A process of a file beside this one. When it ends by itself, so does this one. */
export const launch = (file: string, args: readonly string[]): Child =>
  launchChild(new URL(file, import.meta.url), args, {
    onDeath(why) {
      process.stderr.write(`${why}\n`);
      process.exit(1);
    },
  });

/** Somebody who looks at the page. */
export interface Viewer {
  /** Open time of the last closed bar that it shows. */
  lastOpenTime(): Promise<number>;
  close(): Promise<void>;
}

/** Reads as the page does and shows one series; in a real browser when that is wanted. */
export async function viewerOf(url: string, series: string, inBrowser: boolean): Promise<Viewer> {
  if (inBrowser) {
    const browser = await launchBrowser();
    const { page } = await newPage(browser);
    await page.goto(url);
    await choose(page, series);
    const bars = page.locator('[data-bars]');
    await bars.waitFor();
    return {
      lastOpenTime: async () => Number(await bars.getAttribute('data-last-open')),
      close: () => browser.close(),
    };
  }
  const reader = launch('./page-reader.child.ts', [url, series]);
  await reader.next();
  const lastOpenTime = async () => {
    reader.tell('say');
    return ((await reader.next()) as { lastOpenTime: number }).lastOpenTime;
  };
  return { lastOpenTime, close: async () => reader.end() };
}
