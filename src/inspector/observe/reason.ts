/** Why an event came, in a few words: never the event itself, which may hold anything. */
import type { AnyEventObject } from 'xstate';
import { textMasker } from '../../log/redact.ts';

const REASON_MAX = 200;
const mask = textMasker();

/** What is noted while the actors work: a text that is there already, and no more. */
export function rawReason(event: AnyEventObject): string | undefined {
  const { reason, error } = event;
  if (typeof reason === 'string' && reason !== '') return reason;
  if (typeof error === 'string') return error;
  const message: unknown = (error as { message?: unknown } | null | undefined)?.message;
  if (typeof message === 'string') return message;
  const end = event['end'] as { code?: unknown } | null | undefined;
  return typeof end?.code === 'number' ? `code ${end.code}` : undefined;
}

/** The same as it may be shown: secrets masked, cut. */
export function shownReason(raw: string): string {
  const text = mask(raw);
  return text.length > REASON_MAX ? `${text.slice(0, REASON_MAX)}…` : text;
}
