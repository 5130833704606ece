/** A state in a line: its colour is what it means, and a title says all of it. */
import type { StateValue } from '../../protocol.ts';
import { type Meaning, meaningOf } from './meaning.ts';
import { stateBrief, stateText } from './value.ts';

export function StateLabel({ text, brief, meaning }: { text: string; brief: string; meaning: Meaning }) {
  return (
    <span class={`state ${meaning}`} title={text}>
      {brief}
    </span>
  );
}

/** A state that a machine came to. */
export function StateOf({ machine, value }: { machine: string; value: StateValue }) {
  return (
    <StateLabel
      text={stateText(value)}
      brief={stateBrief(value)}
      meaning={meaningOf({ machine, value, status: 'active' })}
    />
  );
}
