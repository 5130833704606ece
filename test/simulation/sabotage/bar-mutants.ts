/** Defects of what is collected: bars that lack, come twice, in disorder, with other values, and holes without a name. */
import { type Mutant, patch } from './mutant.ts';

const PIPELINE = 'src/pipeline/pipeline.ts';
const DELIVERY = 'src/pipeline/delivery.ts';
const DATABASE = 'src/store/database.ts';

export const BAR_MUTANTS: readonly Mutant[] = [
  {
    invariant: 'I1',
    // The bars that it leaves out are a hole that nobody names, a step in the order, and owed by who says that it is live.
    also: ['I2', 'I4', 'I9'],
    name: 'skips-backfill',
    does: 'a series goes on at the first bar of a new connection, whatever it has missed',
    patches: [
      patch(
        PIPELINE,
        'cursor.due ??= this.#frame.openTime;',
        'cursor.due = Math.max(cursor.due ?? 0, this.#frame.openTime);',
      ),
    ],
  },
  {
    invariant: 'I1',
    // The second time is no step forward.
    also: ['I2'],
    name: 'delivers-twice',
    does: 'after an error of the store the whole batch is delivered once more',
    patches: [
      patch(
        'src/actors/store.ts',
        'await ports.writer.commit(batch, ports.exchangeNow());',
        `await ports.writer.commit(batch, ports.exchangeNow()).catch((error) => {
      ports.delivery.deliver(batch);
      throw error;
    });`,
      ),
    ],
  },
  {
    invariant: 'I1',
    also: ['I9'],
    name: 'forgets-failed-commit',
    does: 'a batch that the disk refused counts as written',
    patches: [
      patch(
        'src/actors/store.ts',
        'await ports.writer.commit(batch, ports.exchangeNow());',
        'await ports.writer.commit(batch, ports.exchangeNow()).catch(() => {});',
      ),
    ],
  },
  {
    invariant: 'I2',
    name: 'swaps-a-batch',
    does: 'the bars of a batch are delivered last to first',
    patches: [patch(DELIVERY, 'for (const row of rows) {', 'for (const row of [...rows].reverse()) {')],
  },
  {
    invariant: 'I2',
    // A bar that is passed over is never asked for.
    also: ['I1', 'I9'],
    name: 'does-not-wait',
    does: 'a bar that comes behind a hole is delivered before the hole is filled',
    patches: [
      patch(
        PIPELINE,
        'if (cursor.hold(candle)) this.#options.onClose?.(candle, exchangeNow);',
        'if (this.#pass(cursor, candle)) this.#options.onClose?.(candle, exchangeNow);',
      ),
    ],
  },
  {
    invariant: 'I2',
    name: 'catches-up-with-a-hole',
    does: 'a reader that lags never gets the first bar that it catches up with',
    patches: [
      patch('src/pipeline/candle-iterator.ts', 'this.#queue = [...page];', 'this.#queue = page.slice(1);'),
    ],
  },
  {
    invariant: 'I3',
    name: 'promotes-a-forming-bar',
    does: 'where the next bar has begun and no close has come, the last frame is taken for it',
    patches: [
      patch(
        PIPELINE,
        '    cursor.pulse.note(frame);\n',
        `    const last = cursor.forming;
    cursor.pulse.note(frame);
    if (last !== undefined && last.openTime === cursor.due && frame.openTime > last.openTime)
      this.#pass(cursor, last);
`,
      ),
    ],
  },
  {
    invariant: 'I3',
    name: 'alters-a-digit',
    does: 'numbers are kept with seven digits',
    patches: [
      patch(
        'src/binance/decimal.ts',
        'const value = mantissa / (POWERS[decimals] as number);',
        'const value = Number((mantissa / (POWERS[decimals] as number)).toPrecision(7));',
      ),
    ],
  },
  {
    invariant: 'I3',
    name: 'drops-a-correction',
    does: 'a bar that the exchange has corrected stays as it was',
    patches: [patch(DATABASE, 'this.#corrections.revise(row.revision);', '{}')],
  },
  {
    invariant: 'I9',
    // To the store it is a bar that lacks, to who listens a step in the order, and owed by who says that it is live.
    also: ['I1', 'I2', 'I4'],
    name: 'names-no-gap',
    does: 'a bar that the exchange lacks is passed over in silence',
    patches: [patch(PIPELINE, 'this.#options.rows.offer({ gap });', '')],
  },
  {
    invariant: 'I9',
    also: ['I1', 'I4'],
    name: 'drops-a-gap-row',
    does: 'a gap is announced, and not written down',
    patches: [patch(DATABASE, 'this.#corrections.name(row.gap);', '')],
  },
];
