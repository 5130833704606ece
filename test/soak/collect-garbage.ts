/** Loaded before the program: on SIGUSR2 it lets go of all garbage, so that what is measured then is what is held. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');
process.on('SIGUSR2', () => collectGarbage());
