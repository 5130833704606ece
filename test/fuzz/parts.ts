/** All that is fuzzed. */
import { answersPart, rowsPart } from './answers.ts';
import type { Part, TargetName } from './campaign.ts';
import { configFilePart, readersPart, sourcesPart } from './command-line.ts';
import { csvPart } from './csv.ts';
import { decimalsPart, frameBytesPart } from './frame-bytes.ts';
import { framesPart } from './frames.ts';
import { historyOptionsPart, queryPart } from './history-options.ts';
import { optionsPart } from './options.ts';
import { checksumPart, zipPart } from './zip.ts';

/** Of a hundred inputs, how many are for each target: as many as take about as long. */
export const TARGETS: readonly { readonly name: TargetName; readonly share: number }[] = [
  { name: 'frames', share: 60 },
  { name: 'archive', share: 30 },
  { name: 'configuration', share: 10 },
];

export function partsOf(target: TargetName): readonly Part[] {
  if (target === 'frames') return [framesPart(), frameBytesPart(), decimalsPart()];
  if (target === 'archive') return [csvPart(), rowsPart(), answersPart(), checksumPart(), zipPart()];
  return [optionsPart(), historyOptionsPart(), queryPart(), sourcesPart(), readersPart(), configFilePart()];
}
