import { describe, expect, test } from 'vitest';
import type { ConfigurationError } from '../../src/errors.ts';
import { Supervisor } from '../../src/supervisor/supervisor.ts';
import { scene } from './supervisor.scene.ts';

const refusal = (call: () => unknown): ConfigurationError => {
  try {
    call();
  } catch (error) {
    return error as ConfigurationError;
  }
  throw new Error('it was not refused');
};
describe('registering', () => {
  test('takes components in any order, of one call and of several', async () => {
    const { supervisor, add, story } = scene();
    supervisor.register({ name: 'b', dependsOn: ['a'] }, { name: 'a' });
    add('c', ['b']);
    await supervisor.start();
    expect(story).toEqual(['+c']);
    expect(supervisor.state).toBe('running');
  });

  test.each([
    [
      'a circle',
      [
        { name: 'a', dependsOn: ['b'] },
        { name: 'b', dependsOn: ['a'] },
      ],
      "'a' → 'b' → 'a'",
    ],
    ['an unknown name', [{ name: 'a', dependsOn: ['x'] }], "components[0].dependsOn: 'x'"],
    ['a name used twice', [{ name: 'a' }, { name: 'a' }], "components[1].name: 'a'"],
    ['no name', [{ name: '' }], "components[0].name: ''"],
    ['a name that is no text', [{ name: 7 }], 'components[0].name: 7'],
    ['a deadline that is none', [{ name: 'a', deadlineMs: -1 }], 'components[0].deadlineMs: -1'],
    ['a deadline beyond timers', [{ name: 'a', deadlineMs: 2 ** 31 }], 'components[0].deadlineMs'],
    ['no number', [{ name: 'a', deadlineMs: Number.NaN }], 'components[0].deadlineMs: NaN'],
    ['no list', [{ name: 'a', dependsOn: 'b' }], "components[0].dependsOn: 'b'"],
    ['no function', [{ name: 'a', stop: 'now' }], "components[0].stop: 'now'"],
    ['nothing', [null], 'components[0]: object'],
  ])('refuses %s', (_, components, told) => {
    const error = refusal(() => new Supervisor({ components: components as never }));
    expect(error).toMatchObject({ code: 'CONFIGURATION', message: expect.stringContaining(told) });
  });

  test('lists all that is wrong, and adds nothing then', async () => {
    const { supervisor, story, add } = scene();
    const wrong = [{ name: 'a', deadlineMs: -1 }, { name: 'b', stop: 1 }, { name: 'c' }];
    expect(refusal(() => supervisor.register(...(wrong as never[]))).issues).toHaveLength(2);
    add('c');
    await supervisor.start();
    expect(story).toEqual(['+c']);
  });

  test('is over with the start, for good', async () => {
    const { supervisor, stopped } = scene();
    const late = (): unknown => supervisor.register({ name: 'late' });
    await supervisor.start();
    expect(refusal(late).message).toContain("'running'");
    await stopped();
    expect(refusal(late).message).toContain("'stopped'");
  });

  test('refuses a deadline of the whole that is none', () => {
    expect(refusal(() => new Supervisor({ timeoutMs: -5 })).option).toBe('timeoutMs');
  });
});
