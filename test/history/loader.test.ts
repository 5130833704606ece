import { describe, expect, test } from 'vitest';
import type { Gap } from '../../machines/model/row.ts';
import type { Span } from '../../machines/model/spans.ts';
import { Loader } from '../../src/history/loader.ts';
import { type HistorySink, noCounts, type Taken } from '../../src/history/sinks/sinks.ts';
import { at, bars, nthsOf, part, run, ScriptedSource, SERIES, START, span } from './scripted-source.ts';

/** Takes bars in any order, and remembers what it was given. */
class Recorder implements HistorySink {
  readonly name = 'store';
  readonly isOrdered = false;
  readonly barsMax = Number.POSITIVE_INFINITY;
  readonly counts = noCounts();
  readonly taken: Taken[] = [];
  lacks: readonly Span[] = [span(0, 60)];
  named: readonly Gap[] = [];
  async open(): Promise<void> {}
  async missing(): Promise<readonly Span[]> {
    return this.lacks;
  }
  async gaps(): Promise<readonly Gap[]> {
    return this.named;
  }
  async take(one: Taken): Promise<void> {
    this.taken.push(one);
  }
  async finish(): Promise<void> {}
  async close(): Promise<void> {}
}

const never = new AbortController().signal;
const reason = 'the exchange has no such bar';
/** As `0-30`: which bars are whole, of each time that something was taken. */
const wholeOf = ({ collected }: Taken): string =>
  collected.map(({ from, to }) => `${(from - START) / 60_000}-${(to - START) / 60_000}`).join(' ');

async function planned(source: ScriptedSource, sink = new Recorder()) {
  const loader = new Loader({
    query: { ...SERIES, ...span(0, 60), source: 'auto' },
    isDryRun: false,
    sink,
    reach: async () => source,
    closeArchive: async () => {},
    stampNow: () => at(1_000),
  });
  await loader.open();
  const plan = await loader.makePlan(never);
  return { loader, sink, plan };
}

describe('a part is whole', () => {
  test('where every bar is there, and not where bars lack or could not be asked for', async () => {
    const source = new ScriptedSource(
      part(0, 30, { blocks: [bars(0, 30, 'vision', 4, 5)], lacking: [run(4, 5)] }),
      part(30, 60, { blocks: [bars(30, 58)], unreached: [run(58, 59)] }),
    );
    const { loader, sink } = await planned(source);
    expect(await loader.load(never)).toEqual({ lacking: 1, hasMore: false });
    expect(sink.taken.map(wholeOf)).toEqual(['0-4 6-30', '30-58']);
    expect(loader.unreached.items).toEqual([run(58, 59)]);
  });

  test('when what lacked has come, or is named', async () => {
    const lacking = [run(4, 5), run(8), run(20, 29)];
    const source = new ScriptedSource(
      part(0, 30, { blocks: [bars(0, 20, 'vision', 4, 5, 8)], lacking }),
      part(30, 60),
    );
    source.confirmed = {
      blocks: [bars(4, 6, 'rest')],
      lacking: [{ ...run(8), reason }],
      unreached: [run(20, 29)],
    };
    const { loader, sink } = await planned(source);
    await loader.load(never);
    await expect(loader.confirm(never)).rejects.toMatchObject({ code: 'HISTORY_UNREACHED', retryable: true });
    const late = sink.taken.at(-1) as Taken;
    expect(wholeOf(late)).toBe('4-6 8-9');
    expect(nthsOf(late.blocks)).toEqual([4, 5]);
    expect(late.gaps).toEqual([{ ...SERIES, ...run(8), reason, detectedAt: at(1_000) }]);
  });

  test('up to the end of a symbol, and nothing behind it', async () => {
    const source = new ScriptedSource(part(0, 60, { blocks: [bars(0, 50)], lacking: [run(50, 59)] }));
    source.confirmed = { blocks: [], lacking: [], unreached: [], endsAt: at(50) };
    const { loader, sink } = await planned(source);
    await loader.load(never);
    await loader.confirm(never);
    expect(sink.taken.map(wholeOf)).toEqual(['0-50', '']);
    expect(loader.gaps.items).toEqual([]);
  });
});

test('where nothing is missing nobody is asked', async () => {
  const [source, sink] = [new ScriptedSource(part(0, 60)), new Recorder()];
  sink.lacks = [];
  const { loader, plan } = await planned(source, sink);
  expect(plan.pieces).toBe(0);
  expect(loader.plan).toMatchObject({ range: span(0, 60), pieces: [], bars: 0 });
  expect(source.asked).toEqual([]);
});

test('what is broken off ends what is fetched ahead', async () => {
  const source = new ScriptedSource(part(0, 30), part(30, 60));
  source.stallsAt = 1;
  const { loader } = await planned(source);
  const over = new AbortController();
  const loading = loader.load(over.signal);
  over.abort(new Error('enough'));
  await expect(loading).rejects.toThrow('enough');
  await loader.closeArchive();
  expect(source.ended).toBe('broken off');
});

test('gaps that were named before are known as far as they lie in the range and are not asked for again', async () => {
  const sink = new Recorder();
  sink.lacks = [span(4, 6), span(40, 60)];
  const detectedAt = at(900);
  sink.named = [run(-5, 7), run(20), run(30, 70)].map((one) => ({ ...SERIES, ...one, reason, detectedAt }));
  const { loader } = await planned(new ScriptedSource(part(4, 6), part(40, 60)), sink);
  expect(loader.known.items).toEqual(
    [run(0, 3), run(6, 7), run(20), run(30, 39)].map((one) => ({ ...SERIES, ...one, reason, detectedAt })),
  );
  expect(loader.barsKnown).toBe(17);
});
