/** What a user writes by hand, in a process of its own. */
import { startByHand } from './by-hand.ts';
import { contend } from './contender.ts';

await contend(startByHand);
