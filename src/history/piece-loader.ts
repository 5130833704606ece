import type { CandleBlock } from '../../machines/model/block.ts';
import { checkBlock } from '../../machines/model/block-check.ts';
import { copyOf, joinBlocks, lackingRuns, runsWithout } from '../../machines/model/block-runs.ts';
import { calendarSpan } from '../../machines/model/history-plan.ts';
import type { Series } from '../../machines/model/kline.ts';
import { type ArchiveFile, fileName, monthFile, monthIsPublished } from '../binance/archive.ts';
import { type FileRead, readFile } from './archive/read-file.ts';
import { mend } from './day-repair.ts';
import type { RestPages } from './rest/rest-pages.ts';
import type { ArchiveFiles, HistoryNote, Loaded, Piece } from './types.ts';

export interface PieceLoaderPorts {
  readonly series: Series;
  /** Undefined: the archive is not asked. */
  readonly files: ArchiveFiles | undefined;
  /** The archive is a folder on this disk. */
  readonly isLocal: boolean;
  /** Undefined: REST is not asked. */
  readonly pages: RestPages | undefined;
  /** Exchange time of the plan, ms. */
  readonly exchangeNow: number;
}

/** Files, one after the other, for which the archive could not be reached: then it is asked no more. */
const UNREACHABLE_MAX = 3;
/** Months whose rows are kept for the days that are taken from them. */
const MONTHS_KEPT = 2;

type Found = Pick<Loaded, 'blocks' | 'unreached' | 'notes'>;
type Read = FileRead & { status: 'read' };
type NotRead = Exclude<FileRead, Read> | { readonly status: 'given up' };

/** Loads pieces of one plan, each from where it is planned, and what is not there from elsewhere. */
export class PieceLoader {
  readonly #ports: PieceLoaderPorts;
  readonly #months = new Map<number, Promise<FileRead | NotRead>>();
  #unreachable = 0;
  #isGivenUp = false;
  #hasUnverified = false;

  constructor(ports: PieceLoaderPorts) {
    this.#ports = ports;
  }

  /** Rejects with the signal's reason, or when neither archive nor REST can be asked any more. */
  async load(piece: Piece, signal: AbortSignal): Promise<Loaded> {
    signal.throwIfAborted();
    const { interval } = this.#ports.series;
    const { file, from, to } = piece;
    const found =
      file === undefined ? await this.#rest(piece, [], signal) : await this.#file(file, piece, signal);
    const lacking = runsWithout(interval, lackingRuns(interval, piece, found.blocks), found.unreached);
    return { from, to, piece, ...found, lacking };
  }

  async #file(file: ArchiveFile, piece: Piece, signal: AbortSignal): Promise<Found> {
    const read = await this.#read(file, signal);
    if (read.status === 'read') return this.#checked(read, file, piece, [], signal);
    // Without REST the month may also stand for a day that can't be used.
    const isLost = read.status === 'absent' || (read.status === 'refused' && this.#ports.pages === undefined);
    const month = isLost && file.kind === 'day' ? this.#monthOf(file) : undefined;
    if (month === undefined) return this.#instead(read, file, piece, signal);
    const whole = await this.#month(month, signal);
    if (whole.status !== 'read') return this.#instead(read, file, piece, signal);
    const note = this.#note(read, file, piece, `taken from ${fileName(month)}`);
    return this.#checked(whole, month, piece, [note], signal);
  }

  /** The file of the month of a day, where there should be one. */
  #monthOf(file: ArchiveFile): ArchiveFile | undefined {
    const { isLocal, exchangeNow } = this.#ports;
    const from = calendarSpan('month', file.from).from;
    return isLocal || monthIsPublished(file.interval, from, exchangeNow) ? monthFile(file, from) : undefined;
  }

  /** A month, read once for all of its days. */
  #month(file: ArchiveFile, signal: AbortSignal): Promise<FileRead | NotRead> {
    const kept = this.#months.get(file.from);
    if (kept !== undefined) return kept;
    const reading = this.#read(file, signal);
    this.#months.set(file.from, reading);
    const [oldest] = this.#months.keys();
    if (this.#months.size > MONTHS_KEPT && oldest !== undefined) this.#months.delete(oldest);
    return reading;
  }

  async #read(file: ArchiveFile, signal: AbortSignal): Promise<FileRead | NotRead> {
    const { files } = this.#ports;
    if (files === undefined || this.#isGivenUp) return { status: 'given up' };
    const read = await readFile(files, file, signal);
    this.#unreachable = read.status === 'unreachable' ? this.#unreachable + 1 : 0;
    return read;
  }

  /** The rows of a file, where they are not as they should be with those of REST. */
  async #checked(
    read: Read,
    file: ArchiveFile,
    piece: Piece,
    notes: readonly HistoryNote[],
    signal: AbortSignal,
  ): Promise<Found> {
    const check = checkBlock(read.block, file, piece);
    const all = read.isVerified ? notes : [...notes, ...this.#unverified(file)];
    if (check.flawed.length > 0) {
      const mended = await mend(check, piece, this.#ports.pages, signal);
      return { ...mended, notes: [...all, ...mended.notes] };
    }
    // A month's rows are those of other days, too: what is given away shares no memory with it.
    const isWhole = check.sound === read.block && file.kind === piece.by;
    return { blocks: [isWhole ? check.sound : copyOf(check.sound)], unreached: [], notes: all };
  }

  /** What is done about a file that can't be read. */
  async #instead(read: NotRead, file: ArchiveFile, piece: Piece, signal: AbortSignal): Promise<Found> {
    const { pages } = this.#ports;
    const isOver = read.status === 'unreachable' && this.#unreachable >= UNREACHABLE_MAX;
    if (isOver && pages === undefined) throw read.error;
    const isNews = read.status !== 'given up' && !this.#isGivenUp;
    if (isOver) this.#isGivenUp = true;
    const done =
      pages === undefined ? 'REST is not asked' : isOver ? 'REST is asked from here on' : 'taken from REST';
    const notes = isNews ? [this.#note(read, file, piece, done)] : [];
    if (pages !== undefined) return this.#rest(piece, notes, signal);
    // A file that is there and can't be used may be put right: its bars are owed.
    const unreached =
      read.status === 'absent' ? [] : lackingRuns(piece.file?.interval ?? file.interval, piece, []);
    return { blocks: [], unreached, notes };
  }

  async #rest(piece: Piece, notes: readonly HistoryNote[], signal: AbortSignal): Promise<Found> {
    const { series, pages } = this.#ports;
    if (pages === undefined) return { blocks: [], unreached: [], notes };
    const { blocks: found, failure, misplaced } = await pages.ask(piece, signal);
    const [first, ...others] = found;
    const blocks: CandleBlock[] = first === undefined ? [] : [joinBlocks([first, ...others])];
    const all = [...notes];
    const note = (kind: HistoryNote['kind'], from: number, text: string, done: string): void =>
      void all.push({ ...series, kind, from, to: piece.to, found: text, done });
    if (misplaced > 0)
      note('defect', piece.from, `REST has ${misplaced} rows that can not be where they claim`, 'not taken');
    if (failure === undefined) return { blocks, unreached: [], notes: all };
    note('unreachable', failure.from, `REST: ${textOf(failure.error)}`, 'left for another time');
    const unreached = lackingRuns(series.interval, { from: failure.from, to: piece.to }, []);
    return { blocks, unreached, notes: all };
  }

  #note(read: NotRead, file: ArchiveFile, { from, to }: Piece, done: string): HistoryNote {
    const common = { ...this.#ports.series, from, to, done };
    const name = fileName(file);
    switch (read.status) {
      case 'absent':
        return { ...common, kind: 'missing file', found: `there is no ${name}` };
      case 'refused':
        return {
          ...common,
          kind: 'refused file',
          found: read.reason.includes(name) ? read.reason : `${name}: ${read.reason}`,
        };
      case 'unreachable':
        return { ...common, kind: 'unreachable', found: `${name}: ${read.error.message}` };
      case 'given up':
        return { ...common, kind: 'unreachable', found: 'the archive is asked no more' };
    }
  }

  /** Said once, with the first such file. */
  #unverified(file: ArchiveFile): HistoryNote[] {
    if (this.#hasUnverified) return [];
    this.#hasUnverified = true;
    const { from, to } = file;
    const found = `there is no checksum beside ${fileName(file)}, and perhaps beside others`;
    return [{ ...this.#ports.series, kind: 'doubtful', from, to, found, done: 'read as it is' }];
  }
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
