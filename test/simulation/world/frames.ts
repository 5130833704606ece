/** What passes through simulated connections. */

/** A message is its bytes, as `ws` gives them; everything else says what it is. */
export type Frame =
  | Buffer
  | { readonly kind: 'ping' | 'pong'; readonly data: Buffer }
  | { readonly kind: 'close'; readonly code: number; readonly reason: string }
  /** The connection ended or broke: nothing follows. */
  | { readonly kind: 'end' };

/** What a dial is answered with. */
export type DialAnswer =
  | { readonly kind: 'opened' }
  | {
      readonly kind: 'refused';
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly text: string;
    }
  /** There was no answer. */
  | { readonly kind: 'failed'; readonly error: Error };

export const END: Frame = { kind: 'end' };

/** Header, mask and extended length, roughly, bytes. */
export const OVERHEAD_BYTES = 8;

/** An error as Node's sockets have it. */
export const netError = (code: string, message: string): Error => Object.assign(new Error(message), { code });
