/** `collect` with its page, as who starts it and asks it sees them. */
import { createServer } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { contentsOf, emptyFolder, type Running, start } from './child.ts';

/** Where the log says that the page is. */
async function pageOf(run: Running): Promise<string> {
  await run.says(/page at http:\/\/\S+/);
  return /page at (http:\/\/\S+)/.exec(run.stderr())?.[1] ?? '';
}

async function taken(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  return typeof address === 'object' ? (address?.port ?? 0) : 0;
}

describe('collect serves its page', () => {
  test('from before it connects until it has stopped, and nobody who looks delays the stop', async () => {
    const run = start(['collect', '--port', '0'], { cwd: emptyFolder() });
    const url = await pageOf(run);
    const healthz = async () => {
      const answer = await fetch(new URL('/healthz', url));
      return { status: answer.status, body: (await answer.json()) as { state: string } };
    };
    expect((await healthz()).status).toBe(503);
    await run.says('→ streaming');
    // What was answered a moment ago is answered again for a second at most.
    let health = await healthz();
    while (health.status !== 200) health = await healthz();
    expect(health.body.state).toBe('streaming');
    expect(await (await fetch(new URL('/metrics', url))).text()).toContain('candlestate_');
    const live = new WebSocket(new URL('/live', url.replace('http', 'ws')));
    const first = await new Promise<string>((resolve) => live.once('message', (data) => resolve(`${data}`)));
    const names = (JSON.parse(first) as { actors: { name: string }[] }).actors.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['feed0', 'rest', 'store']));
    const closed = new Promise<number>((resolve) => live.once('close', resolve));
    const asked = performance.now();
    run.process.kill('SIGINT');
    const { code, stderr } = await run.ended();
    expect({ code, close: await closed }).toEqual({ code: 130, close: 1001 });
    expect(performance.now() - asked).toBeLessThan(5_000);
    expect(stderr).toContain('page closed');
  });

  test('L10 a given port that is taken ends with 1, names the flag, and leaves nothing', async () => {
    const port = await taken();
    const cwd = emptyFolder();
    const { code, stderr } = await start(['collect', '--port', String(port)], { cwd }).ended();
    expect(code).toBe(1);
    expect(stderr).toMatch(new RegExp(`error --port: .*port ${port} on 127\\.0\\.0\\.1 is taken`));
    expect(stderr).not.toContain('→ streaming');
  });

  test('an address that is not of this machine ends with 1 and names the flag', async () => {
    const { code, stderr } = await start(['collect', '--host', '203.0.113.7'], {
      cwd: emptyFolder(),
    }).ended();
    expect(code).toBe(1);
    expect(stderr).toMatch(/error --host: .*203\.0\.113\.7/);
  });

  test('without --port two of them get along: the log says where each is', async () => {
    const runs = [start(['collect'], { cwd: emptyFolder() }), start(['collect'], { cwd: emptyFolder() })];
    const urls = await Promise.all(runs.map(pageOf));
    expect(new Set(urls).size).toBe(2);
    for (const url of urls) expect(new URL(url).hostname).toBe('127.0.0.1');
  });

  test('--no-http: nobody listens', async () => {
    const cwd = emptyFolder();
    const run = start(['collect', '--no-http', '--duration', '1s'], { cwd });
    const { code, stderr } = await run.ended();
    expect({ code, page: stderr.includes('page') }).toEqual({ code: 0, page: false });
    expect(contentsOf(cwd)).toEqual(['data']);
  });
});
