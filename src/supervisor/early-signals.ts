import { EXIT } from '../../machines/model/exit-code.ts';

const onInterrupt = (): void => process.exit(EXIT.SIGINT);
const onTerminate = (): void => process.exit(EXIT.SIGTERM);
const onHangUp = (): void => process.exit(EXIT.SIGHUP);

/**
 * For the time before anything was begun, while modules still load: there is nothing to stop, but the exit
 * code is to say what happened.
 */
export function takeEarlySignals(): void {
  process.on('SIGINT', onInterrupt);
  process.on('SIGTERM', onTerminate);
  process.on('SIGHUP', onHangUp);
}

/** From here on somebody else answers signals. */
export function releaseEarlySignals(): void {
  process.off('SIGINT', onInterrupt);
  process.off('SIGTERM', onTerminate);
  process.off('SIGHUP', onHangUp);
}
