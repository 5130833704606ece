/** `/stately`, over loopback and without the hosted page. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { until } from '../support/wait.ts';
import { builtPage, serving } from './serving.ts';

/** An inspector that was asked for the hosted viewer. */
function served() {
  const built = builtPage();
  writeFileSync(join(built, 'stately.html'), '<!doctype html><title>Stately</title>');
  return serving({ viewer: 'stately' }, { page: { built } });
}

const UPGRADE = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
};

test('the page may show stately.ai in a frame, and nothing else from elsewhere', async () => {
  const { get } = await served();
  const { status, headers, body } = await get('/stately');
  expect(status).toBe(200);
  expect(body).toContain('<title>Stately</title>');
  const policy = headers['content-security-policy'] ?? '';
  expect(policy.split('; ')).toEqual(
    expect.arrayContaining(["default-src 'none'", 'frame-src https://stately.ai']),
  );
  expect(policy.replace('https://stately.ai', '')).not.toMatch(/https?:|\*/);
  expect((await get('/')).headers['content-security-policy']).not.toContain('stately');
});

test('its WebSocket has every actor of the collector, and then what they do', async () => {
  const { host, crowd } = await served();
  const socket = new WebSocket(`ws://${host}/stately/live`);
  onTestFinished(() => socket.terminate());
  const names = new Set<string>();
  const states: string[] = [];
  socket.on('message', (data) => {
    const { name, snapshot } = JSON.parse(String(data));
    if (name !== undefined) names.add(name);
    if (snapshot !== undefined) states.push(JSON.stringify(snapshot.value));
  });
  const streams = () => [...names].filter((name) => name.startsWith('stream.'));
  const others = ['feed0', 'feed0.a', 'rest', 'store'];
  await until('all are there', () => streams().length === 20 && others.every((name) => names.has(name)));
  states.length = 0;
  crowd.drop('feed0.a');
  await until('the connection waits', () => states.some((state) => state?.includes('waiting')));
});

test('X11: pages of other origins do not get it', async () => {
  const { get } = await served();
  const foreign = { Origin: 'http://evil.example', ...UPGRADE };
  expect(await get('/stately/live', foreign)).toMatchObject({ status: 403 });
  expect(await get('/stately', { Host: 'evil.example' })).toMatchObject({ status: 403 });
});

test('nobody who did not ask for it has it', async () => {
  const { get } = await serving();
  expect(await get('/stately')).toMatchObject({ status: 404 });
  expect(await get('/stately/live', UPGRADE)).toMatchObject({ status: 404 });
});
