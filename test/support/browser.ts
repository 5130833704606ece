/** A real browser, where the machine has one. */
import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';

const PLACES = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** Path of the program: that of the environment's `CHROMIUM`, or one where it usually is. */
const executablePath = [process.env['CHROMIUM'] ?? '', ...PLACES].find((path) => existsSync(path));

/** For `test.skipIf`: true where no browser is. With `REQUIRE_BROWSER=1`, as in CI, such tests run all the same, and fail. */
export const browserMissing = executablePath === undefined && process.env['REQUIRE_BROWSER'] !== '1';

/** The size at which the page has to be legible. */
export const VIEWPORT = { width: 1_280, height: 800 };

/** What a page does not show by then is not there, ms: said with what was waited for, and not by a test that is late. */
const PATIENCE_MS = 5_000;

/** Starts one. Whoever starts it closes it. */
export function launchBrowser(): Promise<Browser> {
  if (executablePath === undefined) throw new Error(`no browser at CHROMIUM, ${PLACES.join(', ')}`);
  // As root, without a screen, and where /dev/shm is small: a container.
  const args = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'];
  return chromium.launch({ executablePath, args });
}

/** What a page did that it should not have. */
export interface Misdeeds {
  /** Requests to anything but this machine. */
  readonly outside: string[];
  /** Errors and warnings in the console, and what was thrown. */
  readonly complaints: string[];
}

const isLoopback = (url: string): boolean =>
  url.startsWith('data:') ||
  url.startsWith('blob:') ||
  ['127.0.0.1', 'localhost'].includes(new URL(url).hostname);

export interface Watched {
  readonly page: Page;
  readonly misdeeds: Misdeeds;
  /** Texts that came over WebSockets. */
  readonly frames: readonly string[];
  close(): Promise<void>;
}

/** A page that is watched from its first request on, of a visitor who has never been there. */
export async function newPage(browser: Browser, isDark = false): Promise<Watched> {
  const context = await browser.newContext({
    viewport: VIEWPORT,
    colorScheme: isDark ? 'dark' : 'light',
  });
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  const misdeeds: Misdeeds = { outside: [], complaints: [] };
  const frames: string[] = [];
  const look = (url: string): void => {
    if (!isLoopback(url)) misdeeds.outside.push(url);
  };
  page.on('request', (request) => look(request.url()));
  page.on('websocket', (socket) => {
    look(socket.url());
    socket.on('framereceived', ({ payload }) => frames.push(String(payload)));
  });
  page.on('pageerror', ({ message }) => misdeeds.complaints.push(message));
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) misdeeds.complaints.push(message.text());
  });
  return { page, misdeeds, frames, close: () => context.close() };
}

/** Looks for a text in the tree, instead of what was looked for before. */
export async function search(page: Page, text: string): Promise<void> {
  await page.keyboard.press('/');
  await page.keyboard.press('ControlOrMeta+a');
  if (text === '') await page.keyboard.press('Delete');
  else await page.keyboard.type(text);
}

/** Chooses an actor as a user does who knows its name: search, go to the first hit, show it. */
export async function choose(page: Page, name: string): Promise<void> {
  await search(page, name);
  await page.keyboard.press('Enter');
  await page.keyboard.press('Enter');
}
