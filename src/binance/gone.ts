import { ExchangeError } from '../errors.ts';

/** What REST says of a symbol that it does not have, or has no more. Source: protocol reference 2.4. */
const GONE: ReadonlySet<string> = new Set(['-1121', '-1122', '-4141']);

/** Whether the exchange answered that it does not know the symbol: it never had it, or it has ended. */
export const isGone = (error: unknown): boolean => error instanceof ExchangeError && GONE.has(error.code);
