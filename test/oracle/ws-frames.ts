/** Enough of RFC 6455 to read along: text frames in one piece, masked or not, no extensions. */

/** Splits a byte stream into frames and gives out the texts; other frames are passed over. */
export class FrameReader {
  readonly #onText: (text: string) => void;
  #bytes: Buffer = Buffer.alloc(0);

  constructor(onText: (text: string) => void) {
    this.#onText = onText;
  }

  read(bytes: Buffer): void {
    this.#bytes = this.#bytes.length === 0 ? bytes : Buffer.concat([this.#bytes, bytes]);
    for (let frame = this.#next(); frame !== undefined; frame = this.#next())
      if (frame.opcode === 1) this.#onText(frame.payload.toString('utf8'));
  }

  #next(): { opcode: number; payload: Buffer } | undefined {
    const bytes = this.#bytes;
    if (bytes.length < 2) return undefined;
    const isMasked = (bytes[1]! & 0x80) !== 0;
    let length = bytes[1]! & 0x7f;
    let at = 2;
    if (length === 126) {
      if (bytes.length < 4) return undefined;
      length = bytes.readUInt16BE(2);
      at = 4;
    } else if (length === 127) {
      if (bytes.length < 10) return undefined;
      length = Number(bytes.readBigUInt64BE(2));
      at = 10;
    }
    const start = at + (isMasked ? 4 : 0);
    if (bytes.length < start + length) return undefined;
    const payload = Buffer.from(bytes.subarray(start, start + length));
    if (isMasked) for (let i = 0; i < length; i++) payload[i]! ^= bytes[at + (i % 4)]!;
    this.#bytes = bytes.subarray(start + length);
    return { opcode: bytes[0]! & 0x0f, payload };
  }
}

/** Reads an HTTP head first, then hands on what follows. */
export function httpHead(
  onHead: (head: string) => void,
  onRest: (bytes: Buffer) => void,
): (bytes: Buffer) => void {
  let head: Buffer | undefined = Buffer.alloc(0);
  return (bytes) => {
    if (head === undefined) return onRest(bytes);
    head = Buffer.concat([head, bytes]);
    const end = head.indexOf('\r\n\r\n');
    if (end < 0) return;
    const rest = head.subarray(end + 4);
    onHead(head.subarray(0, end).toString('latin1'));
    head = undefined;
    if (rest.length > 0) onRest(rest);
  };
}
