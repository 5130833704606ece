import { readFileSync } from 'node:fs';
import { shared } from '../support/fixtures.ts';

/** One text as it came over the wire, and where from. */
export interface Recorded {
  readonly file: string;
  readonly text: string;
}

/** The recordings, and how many frames of klines there are in each. */
export const KLINES_RECORDED: Readonly<Record<string, number>> = {
  'ws/usdm-2021-07-22-cryptofeed.jsonl': 67,
  'ws/usdm-single-frame-2026-08-01.jsonl': 1,
  'ws/usdm-testnet-frames-2026-07.jsonl': 2,
  'ws/binancetr-spot-2023-04-10-cryptofeed.jsonl': 8,
  'ws/spot-2021-10-12-cryptofeed.jsonl': 2,
};

export const readText = (path: string): string => readFileSync(shared(`fixtures/${path}`), 'utf8');
export const readJson = (path: string): unknown => JSON.parse(readText(path));

/** Every frame that was received in a recording, verbatim. */
export function recordedFrames(): Recorded[] {
  return Object.keys(KLINES_RECORDED).flatMap((file) =>
    readText(file)
      .split('\n')
      .filter((line) => line.trim() !== '')
      .flatMap((line): Recorded[] => {
        const entry = JSON.parse(line) as { t?: string; data?: unknown; stream?: string };
        if (entry.stream !== undefined) return [{ file, text: line }];
        const isFrame = entry.t === 'recv' || entry.t === undefined;
        return isFrame && typeof entry.data === 'string' ? [{ file, text: entry.data }] : [];
      }),
  );
}

/** A combined mainnet frame of 2026, as text. */
export const combinedFrame = (): string => readText('samples/ws-kline-combined-btcusdt-1m.json');

export type Json = Record<string, unknown>;
/** The same as an object that may be changed: envelope, event and kline. */
export function editableFrame(): { frame: Json; event: Json; k: Json } {
  const frame = JSON.parse(combinedFrame()) as Json;
  const event = frame['data'] as Json;
  return { frame, event, k: event['k'] as Json };
}
