/** What a chart's reader sees of the parts of a transition: triggers, guards, actions, delays. */
import type { AnyTransitionDefinition } from 'xstate';

/** What moves a machine, each kind in its own colour. */
export type EdgeKind = 'event' | 'after' | 'done' | 'error' | 'always';

/** Delays by name, as a machine is given them: a number of ms, or a function that the machine asks. */
export type Delays = Readonly<Record<string, unknown>>;

export function kindOf(event: string): EdgeKind {
  if (event === '') return 'always';
  if (event.startsWith('xstate.after.')) return 'after';
  if (event.startsWith('xstate.done.')) return 'done';
  return event.startsWith('xstate.error.') ? 'error' : 'event';
}

/** `always`, `after pingInterval`, `after flushLimit (2 s)`, `done: permit`, `error: any child`, or the event itself. */
export function triggerWords(transition: AnyTransitionDefinition, delays: Delays): string {
  const event = String(transition.eventType);
  switch (kindOf(event)) {
    case 'always':
      return 'always';
    case 'after':
      return `after ${delayWords((transition as { delay?: unknown }).delay, delays)}`;
    case 'done':
      return event.startsWith('xstate.done.state.') ? 'done' : `done: ${childWords(event)}`;
    case 'error':
      return `error: ${childWords(event)}`;
    default:
      return event.replace(/^xstate\.snapshot\./, 'news of ');
  }
}

/** `xstate.done.actor.permit` → `permit`. */
function childWords(event: string): string {
  const child = event.replace(/^xstate\.(done|error)\.actor\./, '');
  return child === '*' ? 'any child' : child;
}

function delayWords(delay: unknown, delays: Delays): string {
  if (typeof delay === 'number') return timeWords(delay);
  const constant = delays[String(delay)];
  return typeof constant === 'number' ? `${delay} (${timeWords(constant)})` : String(delay);
}

/** `250 ms`, `2 s`, `15 min` */
export function timeWords(ms: number): string {
  if (ms >= 60_000 && ms % 60_000 === 0) return `${ms / 60_000} min`;
  return ms >= 1000 && ms % 100 === 0 ? `${ms / 1000} s` : `${ms} ms`;
}

/** A guard by its name; `not`, `and` and `or` with what they combine. */
export function guardWords(guard: unknown): string {
  if (typeof guard === 'function' && 'guards' in guard && Array.isArray(guard.guards))
    return `${guard.name} ${guard.guards.map(guardWords).join(', ')}`;
  return nameOf(guard);
}

/** An action by its name, with the text that its params end on, if any: `tellUp frame`, `noteEnd “no answer”`. */
export function actionWords(action: unknown): string {
  const name = nameOf(action).replace(/^xstate\./, '');
  const params = typeof action === 'object' && action !== null && 'params' in action ? action.params : {};
  const text = Object.values(params ?? {}).findLast((it) => typeof it === 'string');
  if (text === undefined) return name;
  return `${name} ${/\s/.test(text) ? `“${text}”` : text}`;
}

function nameOf(part: unknown): string {
  if (typeof part === 'string') return part;
  if ((typeof part === 'object' && part !== null) || typeof part === 'function')
    if ('type' in part) return String(part.type);
  return typeof part === 'function' && part.name !== '' ? part.name : 'inline';
}
