/** The event that caused a transition: its colour is its kind, as in the charts; a title says all of it. */
import { eventName } from '../format.ts';

export function EventLabel({ type }: { type: string }) {
  const { text, cause } = eventName(type);
  return (
    <span class={`event ${cause}`} title={type}>
      {text}
    </span>
  );
}
