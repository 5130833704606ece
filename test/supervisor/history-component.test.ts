import { describe, expect, test } from 'vitest';
import { historyComponent, type LoadEnd, type Loading } from '../../src/supervisor/history-component.ts';
import { Supervisor } from '../../src/supervisor/supervisor.ts';

const finished: LoadEnd = {
  outcome: 'finished',
  components: [{ name: 'store', outcome: 'closed', durationMs: 1 }],
  bars: { stored: 60, unwritten: 0 },
  gaps: [],
};

/** A load that ends when the test says so, or when it is stopped. */
function loading() {
  const done = Promise.withResolvers<LoadEnd>();
  const course: string[] = [];
  const load: Loading = {
    start: () => course.push('start'),
    done: done.promise,
    stop: ({ reason }) => {
      course.push(`stop: ${reason}`);
      done.resolve({ ...finished, outcome: 'stopped' });
      return done.promise;
    },
  };
  return { load, course, end: done.resolve };
}

const application = (...components: ReturnType<typeof historyComponent>[]): Supervisor =>
  new Supervisor({ components, resources: false });

describe('a load in an application', () => {
  test('is begun and stopped with it, and its parts are in the report', async () => {
    const { load, course } = loading();
    const app = application(historyComponent(load));
    await app.start();
    const report = await app.stop({ reason: 'asked' });
    expect(course).toEqual(['start', 'stop: asked']);
    expect(report.sound).toBe(true);
    expect(report.components).toMatchObject([
      { name: 'history', outcome: 'closed', parts: finished.components, notes: { load: 'stopped' } },
    ]);
    expect(report.checks).toContainEqual({
      name: 'history.load',
      outcome: 'ok',
      detail: 'stopped; the next one goes on',
    });
  });

  test('that has finished tells who ends the application', async () => {
    const { load, end } = loading();
    const told = Promise.withResolvers<LoadEnd>();
    const app = application(historyComponent(load, { onFinished: told.resolve }));
    await app.start();
    end(finished);
    expect(await told.promise).toBe(finished);
    expect((await app.stop({ reason: 'finished' })).sound).toBe(true);
  });

  test('that fails ends the application, which is not sound then', async () => {
    const { load, end } = loading();
    const app = application(historyComponent(load, { onFinished: () => {} }));
    await app.start();
    const error = new Error('the store is full');
    end({ ...finished, outcome: 'failed', error, bars: { stored: 10, unwritten: 5 } });
    const report = await app.ended;
    expect(report.failure).toMatchObject({ component: 'history', error });
    expect(report.sound).toBe(false);
    expect(report.checks).toContainEqual({
      name: 'history.load',
      outcome: 'failed',
      detail: 'the store is full',
    });
    expect(report.checks).toContainEqual(
      expect.objectContaining({ name: 'history.rows', outcome: 'failed' }),
    );
  });
});
