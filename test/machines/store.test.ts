import { describe, expect, test } from 'vitest';
import { replaced, storeModel, writerGone } from '../model/store.model.ts';
import type { Session } from '../model/walk/index.ts';
import { begin, child, ends, fails, say } from './play.ts';

type Run = Session<{ rows: { size: number; full: boolean } }>;
const CLOSE = { type: 'CLOSE', withinMs: 3_000 };
const begun = (): Run => begin(storeModel);
const opened = (): Run => {
  const run = begun();
  ends(run as never, 'open');
  return run;
};
const rows = (run: Run, size: number): void => void Object.assign(run.env.rows, { size, full: size >= 100 });
/** Rows come into an empty buffer, and the buffer says so. */
const come = (run: Run, size: number): void => {
  rows(run, size);
  say(run as never, { type: 'ROWS' });
};
const committing = (run: Run): boolean => run.children['commit'] !== undefined;
/** The commit under way succeeds, and `left` rows are still waiting. */
const committed = (run: Run, left = 0): void => {
  rows(run, left);
  ends(run as never, 'commit');
};

describe('a batch', () => {
  test('waits for company as long as the flush time, then is written', () => {
    const run = opened();
    come(run, 1);
    run.pass(49);
    expect(committing(run)).toBe(false);
    run.pass(1);
    expect(committing(run)).toBe(true);
  });

  test('that is full is written at once, however it became so', () => {
    const atOnce = opened();
    come(atOnce, 100);
    const later = opened();
    come(later, 1);
    rows(later, 100);
    say(later as never, { type: 'FULL' });
    const before = begun();
    rows(before, 100);
    ends(before as never, 'open');
    expect([atOnce, later, before].map(committing)).toEqual([true, true, true]);
  });

  test('that came while another was written is written right after it', () => {
    const run = opened();
    come(run, 100);
    const first = child(run as never, 'commit');
    committed(run, 3);
    expect(child(run as never, 'commit')).not.toBe(first);
    committed(run);
    expect(committing(run)).toBe(false);
  });
});

test('nothing is written as long as nothing waits', () => {
  const run = opened();
  run.pass(60_000);
  expect([committing(run), run.timers()]).toEqual([false, []]);
});

test('rows that waited while it was opened have the flush time, too', () => {
  const run = begun();
  rows(run, 1);
  ends(run as never, 'open');
  run.pass(49);
  expect(committing(run)).toBe(false);
  run.pass(1);
  expect(committing(run)).toBe(true);
});

test('is ready as long as it is open, and alarms while it cannot write', () => {
  const run = opened();
  const tags = (): string[] => [...run.snapshot.tags];
  expect(tags()).toEqual(['ready']);
  come(run, 100);
  fails(run as never, 'commit', new Error('busy'));
  expect(tags().sort()).toEqual(['alarm', 'ready']);
  run.pass(500);
  fails(run as never, 'commit', writerGone());
  expect(tags().sort()).toEqual(['alarm', 'ready']);
  ends(run as never, 'reopen');
  expect(tags()).toEqual(['ready']);
  say(run as never, CLOSE);
  expect(tags()).toEqual([]);
});

describe('a commit that fails', () => {
  test.each([
    ['in words', 'busy'],
    ['with nothing', null],
    ['with an object that has no code', {}],
    ['with another code', { code: 'EIO' }],
  ])('%s is tried again, without opening anew', (_, thrown) => {
    const run = opened();
    come(run, 100);
    fails(run as never, 'commit', thrown);
    expect(run.snapshot.status).toBe('active');
    expect(run.children['reopen']).toBeUndefined();
    run.pass(500);
    expect(committing(run)).toBe(true);
  });

  test('is tried again after a pause that doubles up to 30 s, and each time is told', () => {
    const run = opened();
    come(run, 100);
    const pauses: number[] = [];
    for (let i = 0; i < 9; i++) {
      fails(run as never, 'commit', new Error('busy'));
      const since = run.clock.now();
      while (!committing(run)) run.pass(500);
      pauses.push(run.clock.now() - since);
    }
    expect(pauses).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
    expect(run.heard.slice(1)).toEqual(
      pauses.map((retryMs) => ({ type: 'STORE.TROUBLE', reason: 'busy', retryMs })),
    );
  });

  test('and then succeeds lets the next one begin with the shortest pause', () => {
    const run = opened();
    come(run, 100);
    for (let i = 0; i < 5; i++) {
      fails(run as never, 'commit', new Error('busy'));
      run.pass(30_000);
    }
    committed(run, 1);
    fails(run as never, 'commit', new Error('busy'));
    expect(run.heard.at(-1)).toMatchObject({ retryMs: 500 });
  });

  test('does the same when nothing is left to be written', () => {
    const run = opened();
    come(run, 100);
    for (let i = 0; i < 5; i++) {
      fails(run as never, 'commit', new Error('busy'));
      run.pass(30_000);
    }
    committed(run);
    come(run, 100);
    fails(run as never, 'commit', new Error('busy'));
    expect(run.heard.at(-1)).toMatchObject({ retryMs: 500 });
  });

  test('because the writer has gone makes the store open it again, at once, and write then', () => {
    const run = opened();
    come(run, 100);
    fails(run as never, 'commit', writerGone());
    ends(run as never, 'reopen');
    expect(committing(run)).toBe(true);
    expect(run.heard.filter((event) => event.type === 'STORE.READY')).toHaveLength(1);
  });

  test('S14 because the file was removed or replaced is the end, which has failed, and counts the rows', () => {
    const run = opened();
    come(run, 100);
    fails(run as never, 'commit', replaced());
    expect(run.snapshot.status).toBe('active');
    fails(run as never, 'seal', replaced());
    expect(run.snapshot.output).toMatchObject({
      outcome: 'failed',
      error: 'the file was replaced',
      unwritten: 100,
    });
    expect(run.heard.filter((event) => event.type === 'STORE.TROUBLE')).toEqual([]);
  });

  test('with a writer that cannot be opened either waits, and tries both again', () => {
    const run = opened();
    come(run, 100);
    fails(run as never, 'commit', writerGone());
    fails(run as never, 'reopen', new Error('disk full'));
    expect(run.heard.at(-1)).toMatchObject({ type: 'STORE.TROUBLE', reason: 'disk full', retryMs: 1_000 });
    run.pass(999);
    expect(committing(run)).toBe(false);
    run.pass(1);
    fails(run as never, 'commit', writerGone());
    expect(child(run as never, 'reopen')).toBeDefined();
  });
});

describe('its end', () => {
  test('when it cannot be opened keeps the reason', () => {
    const run = begun();
    rows(run, 2);
    run.pass(7);
    const cause = new Error('no such folder');
    fails(run as never, 'open', cause);
    expect(run.snapshot.output).toEqual({
      name: 'store',
      outcome: 'failed',
      durationMs: 7,
      error: 'no such folder',
      unwritten: 2,
      cause,
    });
  });

  test('writes the last rows, then seals', () => {
    const run = opened();
    come(run, 2);
    say(run as never, CLOSE);
    expect(run.children['seal']).toBeUndefined();
    rows(run, 0);
    ends(run as never, 'lastCommit');
    ends(run as never, 'seal');
    expect(run.snapshot.output).toMatchObject({ outcome: 'closed', unwritten: 0 });
  });

  test('S17 with a commit under way sends the batch again: rows are keyed, so that changes nothing', () => {
    const run = opened();
    come(run, 100);
    const commit = child(run as never, 'commit');
    say(run as never, CLOSE);
    expect(commit.getSnapshot().status).toBe('stopped');
    expect(child(run as never, 'lastCommit')).toBeDefined();
  });

  test('goes on as long as rows wait, within the deadline', () => {
    const run = opened();
    come(run, 300);
    say(run as never, CLOSE);
    for (const left of [200, 100, 0]) {
      rows(run, left);
      ends(run as never, 'lastCommit');
    }
    expect(run.children['seal']).toBeDefined();
  });

  test.each([
    [
      'the last rows cannot be written',
      (run: Run) => {
        fails(run as never, 'lastCommit', new Error('disk full'));
        ends(run as never, 'seal');
      },
      { outcome: 'failed', error: 'disk full', unwritten: 2, durationMs: 0 },
    ],
    [
      'the writer hangs',
      (run: Run) => run.pass(3_000),
      { outcome: 'forced', unwritten: 2, durationMs: 3_000 },
    ],
  ])('counts the rows that were never written when %s', (_, finish, output) => {
    const run = opened();
    come(run, 2);
    say(run as never, CLOSE);
    finish(run);
    expect(run.snapshot.output).toMatchObject(output);
  });

  describe('when the writer has gone, with rows still to be written,', () => {
    const gone = (): Run => {
      const run = opened();
      come(run, 300);
      say(run as never, CLOSE);
      fails(run as never, 'lastCommit', writerGone());
      return run;
    };

    test('opens it once more and writes them', () => {
      const run = gone();
      ends(run as never, 'lastOpen');
      for (const left of [200, 100, 0]) {
        rows(run, left);
        ends(run as never, 'finalCommit');
      }
      ends(run as never, 'seal');
      expect(run.snapshot.output).toMatchObject({ outcome: 'closed', unwritten: 0 });
    });

    test.each([
      ['lastOpen', []],
      ['finalCommit', ['lastOpen']],
    ])('and fails again at %s, tries no more and says so', (id, before) => {
      const run = gone();
      for (const done of before) ends(run as never, done);
      fails(run as never, id, writerGone());
      ends(run as never, 'seal');
      expect(run.snapshot.output).toMatchObject({ outcome: 'failed', unwritten: 300 });
    });
  });

  test('while it is still opening lets go of what it has got hold of', () => {
    const run = begun();
    say(run as never, CLOSE);
    ends(run as never, 'seal');
    expect(run.snapshot.output).toStrictEqual({
      name: 'store',
      outcome: 'closed',
      durationMs: 0,
      unwritten: 0,
    });
    expect(run.heard.filter((event) => event.type === 'STORE.READY')).toEqual([]);
  });

  test('while it is still opening writes nothing, and may take its time', () => {
    const run = begun();
    rows(run, 2);
    say(run as never, CLOSE);
    expect(Object.keys(run.children)).toEqual(['seal']);
    run.pass(2_999);
    expect(run.snapshot.status).toBe('active');
    run.pass(1);
    expect(run.snapshot.output).toMatchObject({ outcome: 'forced', unwritten: 2, durationMs: 3_000 });
  });
});
