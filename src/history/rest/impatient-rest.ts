import { describe } from '../../../machines/model/cleanup.ts';
import type { RestPort } from '../../actors/rest-port.ts';
import { ExchangeError } from '../../errors.ts';

/** REST for those who hear at once that it is in vain: a repair has a patience of its own. */
export const impatient = (rest: RestPort): RestPort => ({
  async ask(request, signal) {
    try {
      return await rest.ask(request, signal);
    } catch (cause) {
      signal?.throwIfAborted();
      const isAnswer = cause instanceof ExchangeError && !cause.retryable;
      throw isAnswer ? cause : inVain(cause);
    }
  },
});

const inVain = (cause: unknown): ExchangeError =>
  new ExchangeError(describe(cause), { code: 'HTTP_UNREACHABLE', status: 0, retryable: false, cause });
