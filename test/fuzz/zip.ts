/** Fuzzing of archive files and their checksums: what unpacks is what another program unpacks, and no more than may be. */
import { writeFileSync } from 'node:fs';
import { crc32, inflateRawSync } from 'node:zlib';
import { dayFile, entryBytesMaxOf, fileName, readChecksum } from '../../src/binance/archive.ts';
import { ArchiveError } from '../../src/errors.ts';
import { unzip } from '../../src/history/archive/unzip.ts';
import { oneOf } from '../support/seeded.ts';
import { packedZeros, zipOf } from '../support/zip.ts';
import { mutateBytes, upTo } from './bytes.ts';
import { type BytesPart, type Verdict, Wrong } from './campaign.ts';
import { inventCsv } from './csv.ts';
import { Scratch } from './scratch.ts';

type Random = () => number;

const FILE = dayFile({ symbol: 'BTCUSDT', interval: '1m' }, Date.UTC(2026, 1, 3))!;
const BYTES_MAX = entryBytesMaxOf(FILE);
const CODES = ['ARCHIVE_ZIP', 'ARCHIVE_ENTRY', 'ARCHIVE_TOO_LARGE'];

/** What is in a zip file of the plainest kind; undefined for any other, which may be good all the same. */
function plainContent(bytes: Buffer): Buffer | undefined {
  const end = bytes.length - 22;
  if (end < 30 || bytes.readUInt32LE(end) !== 0x06054b50 || bytes.readUInt32LE(0) !== 0x04034b50)
    return undefined;
  const [entries, directory] = [bytes.readUInt16LE(end + 10), bytes.readUInt32LE(end + 16)];
  const nothingElse =
    bytes.subarray(end + 4, end + 8).every((byte) => byte === 0) && bytes.readUInt16LE(end + 20) === 0;
  if (entries !== 1 || !nothingElse || bytes.readUInt16LE(end + 8) !== 1 || directory + 46 > end)
    return undefined;
  if (bytes.readUInt32LE(directory) !== 0x02014b50 || bytes.readUInt32LE(end + 12) !== end - directory)
    return undefined;
  // Both headers tell the same, from the version that is needed to the length of the name.
  const common = bytes.subarray(directory + 6, directory + 30);
  if (!common.equals(bytes.subarray(4, 28)) || bytes.readUInt16LE(28) !== 0) return undefined;
  const name = Buffer.from(FILE.entry);
  const isNamed = [30, directory + 46].every((at) => name.equals(bytes.subarray(at, at + name.length)));
  const attributes = bytes.subarray(directory + 30, directory + 46);
  const isFile = attributes.equals(Buffer.from([...Array(8).fill(0), 0, 0, 0xa4, 0x81, 0, 0, 0, 0]));
  if (!isNamed || !isFile || bytes.readUInt16LE(26) !== name.length || bytes.readUInt16LE(6) !== 0x800)
    return undefined;
  if (directory + 46 + name.length !== end || bytes.readUInt16LE(4) !== 20) return undefined;
  const [method, crc, packedBytes, contentBytes] = [
    bytes.readUInt16LE(8),
    bytes.readUInt32LE(14),
    bytes.readUInt32LE(18),
    bytes.readUInt32LE(22),
  ];
  const packed = bytes.subarray(30 + name.length, directory);
  if (packed.length !== packedBytes || contentBytes > BYTES_MAX) return undefined;
  try {
    const content =
      method === 0
        ? packed
        : method === 8
          ? inflateRawSync(packed, { maxOutputLength: BYTES_MAX })
          : undefined;
    return content?.length === contentBytes && crc32(content) === crc ? content : undefined;
  } catch {
    return undefined;
  }
}

/** What the directory of a zip file points to, whatever else is in the file. */
function pointedContent(bytes: Buffer): Buffer | undefined {
  try {
    const end = bytes.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'));
    const entry = bytes.readUInt32LE(end + 16);
    const [method, packedBytes, local] = [entry + 10, entry + 20, entry + 42].map((at, index) =>
      index === 0 ? bytes.readUInt16LE(at) : bytes.readUInt32LE(at),
    ) as [number, number, number];
    const from = local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28);
    const packed = bytes.subarray(from, from + packedBytes);
    const content = method === 0 ? packed : inflateRawSync(packed, { maxOutputLength: BYTES_MAX });
    return crc32(content) === bytes.readUInt32LE(entry + 16) ? content : undefined;
  } catch {
    return undefined;
  }
}

async function checkZip(bytes: Buffer, path: string): Promise<Verdict> {
  writeFileSync(path, bytes);
  const right = plainContent(bytes);
  const chunks: Uint8Array[] = [];
  let bytesGiven = 0;
  try {
    for await (const chunk of unzip(path, FILE)) {
      bytesGiven += chunk.length;
      if (bytesGiven > BYTES_MAX) throw new Wrong('more bytes came out than may be in it');
      chunks.push(chunk);
    }
  } catch (error) {
    if (!(error instanceof ArchiveError) || !CODES.includes(error.code)) throw error;
    if (error.message.length > 500) throw new Wrong('an error that goes on and on');
    if (right !== undefined) throw new Wrong(`a sound file is refused: ${error.message}`);
    return 'refused';
  }
  const content = Buffer.concat(chunks);
  const expected = right ?? pointedContent(bytes);
  if (expected === undefined) throw new Wrong('a file without sound content is taken');
  if (!content.equals(expected)) throw new Wrong('what came out is not what is in it');
  return 'accepted';
}

/** Soon a thousand times as large, in a few kilobytes. */
const bombs = [16, 64].map((megabytes) =>
  zipOf({
    name: FILE.entry,
    content: Buffer.alloc(0),
    packed: packedZeros(megabytes * 1_048_576),
    says: { sizeBytes: 1_000 },
  }),
);

function inventZip(random: Random): Buffer {
  const content = Buffer.from(inventCsv(random), 'latin1');
  const dice = random();
  if (dice < 0.01) return oneOf(bombs, random);
  if (dice < 0.1) return zipOf({ name: '../x.csv', content }, { name: FILE.entry, content });
  return zipOf({ name: FILE.entry, content, isStored: dice > 0.7 });
}

export function zipPart(): BytesPart {
  const scratch = new Scratch();
  return {
    target: 'archive',
    kind: 'bytes',
    name: 'zip',
    share: 50,
    draw: (random) => {
      const bytes = inventZip(random);
      return random() < 0.05 ? bytes : mutateBytes(bytes, random, () => inventZip(random));
    },
    check: (bytes) => checkZip(bytes, scratch.path('a.zip')),
    end: () => scratch.remove(),
  };
}

const NAME = fileName(FILE);
const DIGEST = '0123456789abcdef'.repeat(4);

/** The digest by hand, a word at a time. */
function referenceDigest(text: string): string | undefined {
  const words = text
    .slice(0, 1_024)
    .trim()
    .split(/[ \t]+/u);
  const [digest = '', told = ''] = words;
  const isDigest =
    digest.length === 64 && [...digest.toLowerCase()].every((letter) => '0123456789abcdef'.includes(letter));
  return words.length === 2 && isDigest && (told === NAME || told === `*${NAME}`)
    ? digest.toLowerCase()
    : undefined;
}

function checkChecksum(bytes: Buffer): Verdict {
  const text = bytes.toString('utf8');
  const right = referenceDigest(text);
  let got: string | undefined;
  try {
    got = readChecksum(text, NAME);
  } catch (error) {
    if (!(error instanceof ArchiveError) || error.code !== 'ARCHIVE_CHECKSUM') throw error;
  }
  if (got !== right)
    throw new Wrong(`the digest is ${got ?? 'refused'}, and should be ${right ?? 'refused'}`);
  return got === undefined ? 'refused' : 'accepted';
}

export function checksumPart(): BytesPart {
  const seedOf = (random: Random): Buffer =>
    Buffer.from(
      `${random() < 0.5 ? DIGEST : DIGEST.toUpperCase()}${oneOf(['  ', ' *', '\t', ' '.repeat(upTo(900, random))], random)}${NAME}${oneOf(['', '\n', '\r\n'], random)}`,
    );
  return {
    target: 'archive',
    kind: 'bytes',
    name: 'checksum',
    share: 50,
    draw: (random) => mutateBytes(seedOf(random), random, () => seedOf(random)),
    check: checkChecksum,
  };
}
