/** The statechart of a machine, with what is active in it. */
import type { StateValue } from '../../protocol.ts';

interface Props {
  readonly machine: string;
  readonly value: StateValue | undefined;
  readonly edges: readonly string[];
  readonly at: number | undefined;
}

export function Statechart({ machine }: Props) {
  return <p class="none">{machine}</p>;
}
