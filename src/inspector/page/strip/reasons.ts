/** Why the promise is not being kept, in words. */
import type { Strip, StripAilment } from '../../protocol.ts';
import { age, count } from '../format.ts';

const WORDS: Readonly<Record<string, string>> = {
  mute: 'is traded, and no frames come',
  overdue: 'owes a bar',
  store: 'The store has committed nothing',
};

export function reasonsOf({ state, ailments = [], ailing = ailments.length }: Strip): string[] {
  const left = ailing - ailments.length;
  return [
    ...(state === 'streaming' ? [] : [`The collector is ${state}`]),
    ...ailments.map(inWords),
    ...(left > 0 ? [`and ${count(left)} more: see /healthz`] : []),
  ];
}

function inWords({ series, problem, forMs }: StripAilment): string {
  const what = [series, WORDS[problem] ?? problem].filter(Boolean).join(' ');
  return forMs > 0 ? `${what}, for ${age(forMs)}` : what;
}
