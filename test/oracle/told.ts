/** What a collector in another process told: its JSON lines, as a consumer reads them. */
import type { Candle } from '../../machines/model/kline.ts';
import type { GapNotice } from '../../src/index.ts';
import type { Told } from './evidence.ts';

/** `at`: exchange time by which all of it had been told, ms. */
export const toldBy = (lines: readonly string[], at: number): Told[] =>
  lines.map((line): Told => {
    const record = JSON.parse(line) as { type: 'candle' | 'gap' | 'revision' };
    if (record.type === 'candle') return { kind: 'candle', candle: record as unknown as Candle, at };
    if (record.type === 'gap') return { kind: 'gap', gap: record as unknown as GapNotice, at };
    return { ...(record as unknown as { before: Candle; after: Candle }), kind: 'revision', at };
  });

/** The lines that are whole: whoever was killed may have written half of one. */
export const wholeLines = (text: string): string[] => text.split('\n').slice(0, -1);
