/** As much of a stream as tells its end. */
export type Output = Pick<NodeJS.EventEmitter, 'on' | 'off'>;

/** What happened to the output: its reader went away, or it failed otherwise. */
export interface OutputEnds {
  readonly onClosed: () => void;
  readonly onFailed: (error: Error) => void;
}

/**
 * Hears of the end of an output, so that `program | head -1` ends without a word. What it returns gives the listener
 * back, unless the reader has gone: each later write fails again, and unheard that would end the process.
 */
export function watchOutput(output: Output, ends: OutputEnds): () => void {
  let isClosed = false;
  const onError = (error: NodeJS.ErrnoException): void => {
    if (error.code !== 'EPIPE') {
      ends.onFailed(error);
      return;
    }
    isClosed = true;
    ends.onClosed();
  };
  output.on('error', onError);
  return () => {
    if (!isClosed) output.off('error', onError);
  };
}
