/** Builds the page in a process of its own, in a checkout. Where it goes is said by `CANDLESTATE_PAGE_OUT`. */
import { constants, setPriority } from 'node:os';
import { build } from 'vite';

// Whoever wanted it has gone, however that happened.
process.stdin.on('end', () => process.exit(1)).resume();
// A collector works beside it.
setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
await build({ mode: 'page', logLevel: 'error', configLoader: 'native' });
process.exit(0);
