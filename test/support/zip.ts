/** Zip files made by hand, so that they can lie. */
import { constants, crc32, deflateRawSync } from 'node:zlib';

export interface ZipEntry {
  readonly name: string;
  readonly content: Uint8Array;
  /** What stands in its headers, where it is not the truth. */
  readonly says?: {
    readonly localName?: string;
    readonly sizeBytes?: number;
    readonly crc?: number;
    readonly method?: number;
    readonly flags?: number;
    /** Mode of Unix, as 0o120777 for a link. */
    readonly mode?: number;
  };
  readonly isStored?: boolean;
  /** Bytes that stand for the packed content. */
  readonly packed?: Uint8Array;
}

/** A zip file of these entries. */
export function zipOf(...entries: readonly ZipEntry[]): Buffer {
  const files: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, content, says = {}, isStored = false, packed } of entries) {
    const data = packed ?? (isStored ? content : deflateRawSync(content));
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(0x800 | (says.flags ?? 0), 2);
    common.writeUInt16LE(says.method ?? (isStored ? 0 : 8), 4);
    common.writeUInt32LE(says.crc ?? crc32(content), 10);
    common.writeUInt32LE(data.length, 14);
    common.writeUInt32LE(says.sizeBytes ?? content.length, 18);
    const localName = Buffer.from(says.localName ?? name);
    const local = Buffer.from(common);
    local.writeUInt16LE(localName.length, 22);
    files.push(Buffer.from('PK\x03\x04', 'latin1'), local, localName, Buffer.from(data));
    const centralName = Buffer.from(name);
    common.writeUInt16LE(centralName.length, 22);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(((says.mode ?? 0o100_644) << 16) >>> 0, 6);
    rest.writeUInt32LE(offset, 10);
    const madeByUnix = Buffer.from([20, 3]);
    directory.push(Buffer.from('PK\x01\x02', 'latin1'), madeByUnix, common, rest, centralName);
    offset += 30 + localName.length + data.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...files, central, end]);
}

/** So many bytes of nothing, packed a thousand times smaller. */
export function packedZeros(bytes: number): Buffer {
  const step = 16 * 1_048_576;
  const piece = deflateRawSync(Buffer.alloc(step), { finishFlush: constants.Z_FULL_FLUSH });
  return Buffer.concat([...Array<Buffer>(bytes / step).fill(piece), deflateRawSync(Buffer.alloc(0))]);
}
