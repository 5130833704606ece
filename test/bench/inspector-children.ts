/** The processes around the one that is measured. */
import { fork } from 'node:child_process';
import { choose, launchBrowser, newPage } from '../support/browser.ts';

export interface Child {
  tell(command: string): void;
  /** What it says next. */
  next(): Promise<unknown>;
  end(): void;
}

/** A process of a file beside this one. When it ends by itself, so does this one. */
export async function launch(file: string, args: readonly string[]): Promise<Child> {
  const child = fork(new URL(file, import.meta.url), args);
  const said: unknown[] = [];
  const waiting: ((message: unknown) => void)[] = [];
  let isWanted = true;
  child.on('message', (message) => {
    const next = waiting.shift();
    if (next === undefined) said.push(message);
    else next(message);
  });
  child.on('exit', (code) => {
    if (!isWanted) return;
    process.stderr.write(`${file} ended with ${code}\n`);
    process.exit(1);
  });
  return {
    tell: (command) => void child.send(command),
    next: () => new Promise((resolve) => (said.length > 0 ? resolve(said.shift()) : waiting.push(resolve))),
    end() {
      isWanted = false;
      child.disconnect();
    },
  };
}

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
  const reader = await launch('./page-reader.child.ts', [url, series]);
  await reader.next();
  const lastOpenTime = async () => {
    reader.tell('say');
    return ((await reader.next()) as { lastOpenTime: number }).lastOpenTime;
  };
  return { lastOpenTime, close: async () => reader.end() };
}
