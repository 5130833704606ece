import { describe, expect, test } from 'vitest';
import { liveScreen, plainScreen } from '../../src/cli/terminal.ts';

function recorder() {
  const calls: string[] = [];
  const update = Object.assign((text: string) => void calls.push(`view ${text}`), {
    clear: () => void calls.push('clear'),
    done: () => void calls.push('done'),
  });
  const stream = {
    columns: 90,
    rows: 20,
    write: (text: string, callback: () => void) => {
      calls.push(`line ${text}`);
      callback();
    },
  };
  return { calls, update, stream };
}
const ignore = (): void => undefined;

describe('a screen with a view', () => {
  test('puts lines above the view and keeps the last one at the end', () => {
    const { calls, update, stream } = recorder();
    const screen = liveScreen(stream, update);
    screen.write('before', ignore);
    let version = 0;
    screen.show(({ width, height }) => [`${++version} ${width}x${height}`]);
    screen.write('above', ignore);
    screen.end();
    screen.write('after', ignore);
    expect(calls).toEqual([
      'line before',
      'view 1 90x20',
      'clear',
      'line above',
      'view 2 90x20',
      'view 3 90x20',
      'done',
      'line after',
    ]);
  });

  test('a view that fails is switched off and says so; lines go on', () => {
    const { calls, update, stream } = recorder();
    const screen = liveScreen(stream, update);
    screen.show(() => {
      throw new Error('bad\u001b[2J');
    });
    screen.write('on', ignore);
    screen.end();
    expect(calls[0]).toContain('the live view failed and is off: Error: bad\\u001b[2J');
    expect(calls.filter((call) => call.startsWith('view'))).toEqual([]);
    expect(calls).toContain('line on');
  });
});

describe('a screen without a view', () => {
  test('passes lines through and draws nothing', () => {
    const { calls, stream } = recorder();
    const screen = plainScreen(stream);
    screen.show(() => ['view']);
    screen.write('line', ignore);
    screen.end();
    expect(calls).toEqual(['line line']);
  });
});
