/** How far a series is collected: what history moves, and what it must not. */
import { describe, expect, test } from 'vitest';
import { blockOf } from '../../machines/model/block.ts';
import type { Row } from '../../machines/model/row.ts';
import { StoreDatabase } from '../../src/store/database.ts';
import { at, BTC, bar, openTimes } from '../pipeline/candles.ts';
import { batchOf, collected, gapAt, type Numbers, numberOf, withStore } from './histories.ts';
import { execute, query, useFolder } from './stores.ts';

const { here } = useFolder();

/** From where on and up to which bar the series is whole, both inclusive, as the next opening is told. */
function mark(): string | undefined {
  const holder = { pid: process.pid, host: 'here', since: 0 };
  const { database, opened } = StoreDatabase.open({ path: here.path, origin: 'simulator', holder });
  database.close(at(0));
  const [one] = opened.watermarks;
  return one === undefined ? undefined : `${numberOf(one.wholeFrom)}–${numberOf(one.openTime)}`;
}
const run = (work: (store: StoreDatabase) => void): void => withStore(here.path, work);
const load = (store: StoreDatabase, ...had: Numbers[]) => store.load(batchOf(had), at(900));
const rewind = (number: number): Row => ({ rewind: { ...BTC, openTime: at(number) } });

describe('history for a series that is collected from bar 100 to 199', () => {
  const cases: [string, Numbers[], string][] = [
    ['far before it', [[10, 20]], '100–199'],
    ['far before it, the bar before the first but one included', [[10, 99]], '100–199'],
    ['right before it', [[90, 100]], '90–199'],
    ['before it and into it', [[90, 150]], '90–199'],
    ['within it', [[120, 130]], '100–199'],
    ['exactly it', [[100, 200]], '100–199'],
    ['from within it to behind it', [[150, 250]], '100–249'],
    ['right behind it', [[200, 250]], '100–249'],
    ['all around it', [[50, 250]], '50–249'],
    ['behind it, one bar left out', [[201, 250]], '100–199'],
    ['far behind it', [[500, 600]], '100–199'],
    [
      'on both sides, touching neither',
      [
        [10, 99],
        [201, 300],
      ],
      '100–199',
    ],
    [
      'on both sides, touching both',
      [
        [10, 100],
        [200, 300],
      ],
      '10–299',
    ],
  ];
  test.each(cases)('%s', (_, had, told) => {
    run((store) => {
      store.commit(collected([100, 200]), at(900));
      for (const numbers of had) load(store, numbers);
    });
    expect(mark()).toBe(told);
  });

  test('that closes a hole moves it over all that lies behind the hole, and before it', () => {
    run((store) => {
      store.commit(collected([100, 200]), at(900));
      load(store, [300, 400], [0, 50]);
      store.load(batchOf([], { gaps: [gapAt([400, 420])] }), at(900));
      load(store, [420, 430], [450, 460]);
      load(store, [200, 300]);
      load(store, [60, 100]);
    });
    expect(mark()).toBe('60–429');
    run((store) => load(store, [40, 60]));
    expect(mark()).toBe('0–429');
  });

  test('that only touches it moves it over what lies there already', () => {
    run((store) => {
      store.commit(collected([100, 200]), at(900));
      store.load(batchOf([[200, 250]], { collected: [] }), at(900));
      expect(store.load(batchOf([], { collected: [[150, 200]] }), at(900))).toEqual({
        inserted: 0,
        filled: 0,
      });
    });
    expect(mark()).toBe('100–249');
  });

  test('that lies elsewhere moves nothing, whatever lies beside it', () => {
    run((store) => {
      store.commit(collected([100, 200]), at(900));
      store.load(
        batchOf(
          [
            [200, 250],
            [50, 100],
          ],
          { collected: [] },
        ),
        at(900),
      );
      load(store, [10, 20], [300, 320]);
    });
    expect(mark()).toBe('100–199');
  });

  test('that is said to be whole and is not moves it only as far as it is', () => {
    run((store) => {
      store.commit(collected([100, 200]), at(900));
      store.load(
        batchOf(
          [
            [200, 220],
            [230, 300],
            [50, 80],
            [90, 100],
          ],
          { collected: [[50, 300]] },
        ),
        at(900),
      );
    });
    expect(mark()).toBe('90–219');
  });

  test('whose gaps are named counts as whole, whatever they are named by', () => {
    run((store) => {
      store.commit(collected([100, 200]), at(900));
      store.load(
        batchOf([[210, 220]], { gaps: [gapAt([200, 210], 'any', 1)], collected: [[200, 220]] }),
        at(900),
      );
    });
    expect(mark()).toBe('100–219');
  });
});

describe('history for a series that nobody collects', () => {
  test('tells where it stands, and goes on as it comes', () => {
    run((store) => {
      for (const numbers of [
        [10, 20],
        [20, 30],
        [31, 40],
        [0, 5],
      ] as const)
        load(store, numbers);
    });
    expect(mark()).toBe('10–29');
    run((store) => load(store, [30, 31]));
    expect(mark()).toBe('10–39');
  });

  test('that brought nothing tells nothing', () => {
    run((store) => store.load(batchOf([], { collected: [[0, 50]] }), at(900)));
    expect(mark()).toBeUndefined();
  });

  test('begins at its first bar, wherever the range began', () => {
    run((store) => store.load(batchOf([[30, 40]], { collected: [[0, 60]] }), at(900)));
    expect(mark()).toBe('30–39');
  });

  test('and that somebody collects since, from a later bar on: it is whole from there', () => {
    run((store) => {
      load(store, [0, 50]);
      store.commit(collected([100, 103]), at(900));
      store.commit(collected([103, 110]), at(900));
      load(store, [20, 60]);
    });
    expect(mark()).toBe('100–109');
    run((store) => load(store, [60, 100]));
    expect(mark()).toBe('0–109');
  });

  test('and that somebody collects from right behind it: it is whole from its beginning', () => {
    run((store) => load(store, [0, 50]));
    run((store) => store.commit(collected([50, 60]), at(900)));
    expect(mark()).toBe('0–59');
  });

  test.each(['1M', '1w', '3d', '1d'] as const)('in bars of %s', (interval) => {
    const DAY = 86_400_000;
    const starts = {
      '1M': Date.UTC(2024, 0, 1),
      '1w': Date.UTC(2024, 0, 1),
      '3d': 20_000 * DAY,
      '1d': 20_000 * DAY,
    };
    const series = { symbol: 'BTCUSDT', interval };
    const times = openTimes(interval, starts[interval], 40);
    const part = (from: number, to: number) => ({
      series,
      blocks: [
        blockOf(
          series,
          'rest',
          times.slice(from, to).map((time) => bar(time, 'rest', series)),
        ),
      ],
      gaps: [],
      collected: [{ from: times[from]!, to: times[to]! }],
    });
    run((store) => {
      for (const [from, to] of [
        [10, 20],
        [25, 30],
        [0, 9],
        [20, 25],
        [9, 10],
      ] as const)
        store.load(part(from, to), times[39]!);
    });
    const [one] = query(here.path, 'SELECT * FROM watermarks');
    expect(one).toMatchObject({ open_time: times[29], from_open_time: times[0] });
  });
});

describe('a series that is taken back for history before it', () => {
  test('is whole from there on, as far as it has come', () => {
    run((store) => store.commit(collected([100, 200]), at(900)));
    run((store) => store.commit([rewind(9)], at(900)));
    expect(mark()).toBe('10–9');
    run((store) => store.commit(collected([10, 15]), at(900)));
    expect(mark()).toBe('10–14');
    // History loaded meanwhile is gone over.
    run((store) => load(store, [15, 100]));
    expect(mark()).toBe('10–199');
  });

  test('within what is whole stays whole from its beginning', () => {
    run((store) => store.commit(collected([100, 200]), at(900)));
    run((store) => store.commit([rewind(149)], at(900)));
    expect(mark()).toBe('100–149');
  });

  test('and comes back in one batch begins anew', () => {
    run((store) => {
      store.commit(collected([100, 110]), at(900));
      store.commit([...collected([110, 112]), rewind(9), ...collected([10, 12])], at(900));
    });
    expect(mark()).toBe('10–11');
  });
});

describe('a store of the version before history', () => {
  const age = (): void => execute(here.path, 'ALTER TABLE watermarks DROP COLUMN from_open_time');

  test('was whole from its first bar or gap on', () => {
    run((store) => store.commit([{ gap: gapAt([3, 5]) }, ...collected([5, 20])], at(900)));
    age();
    expect(mark()).toBe('3–19');
  });

  test('that such a version has used again in between tells nothing that is not so', () => {
    run((store) => store.commit(collected([100, 200]), at(900)));
    execute(here.path, `UPDATE watermarks SET open_time = ${at(9)}`);
    expect(mark()).toBe('10–9');
    execute(
      here.path,
      `INSERT INTO watermarks (symbol, interval, open_time) VALUES ('ETHUSDT', '1m', ${at(5)})`,
    );
    expect(mark()).toBe('10–9');
    expect(query(here.path, "SELECT from_open_time AS at FROM watermarks WHERE symbol = 'ETHUSDT'")).toEqual([
      { at: at(5) },
    ]);
  });
});
