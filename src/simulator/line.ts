/** An open WebSocket as the exchange sees it, whatever carries it: a real connection, or none at all. */
export interface Line {
  /** Neither side has begun to close it. */
  readonly isOpen: boolean;
  /** What was sent and has not left yet, bytes. */
  readonly backlogBytes: number;
  /** A text frame for a text, a binary one for bytes. */
  send(data: string | Uint8Array): void;
  ping(data: string): void;
  pong(data: Uint8Array): void;
  /** Starts the closing handshake. */
  close(code: number, reason: string): void;
  /** Breaks the connection without a close frame. */
  destroy(): void;
  /** Sends half a frame, and then the connection ends: with a FIN, or with a RST. */
  tear(end: 'fin' | 'reset'): void;
  /**
   * Lets what is sent out so slowly; undefined: at once again, with what waits. More than `bytesMax` that wait break
   * the connection.
   */
  dribble(bytesPerSecond: number | undefined, bytesMax: number): void;
  /** Whether what comes in is left unread. */
  setDeaf(isDeaf: boolean): void;
  /** Between the two, what is sent may leave in one piece. */
  cork(): void;
  uncork(): void;
}

/** What comes in on a {@link Line}. */
export interface LineEvents {
  message(data: Buffer): void;
  ping(data: Buffer): void;
  pong(data: Buffer): void;
  /** Asked when the client's close frame has come: true leaves it without an answer. */
  withholdsClose(): boolean;
  /** The end, called once: the code of the client's close frame, 1006 without one. */
  closed(code: number): void;
}
