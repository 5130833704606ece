import { NO_DAYS, type PastPort } from '../../src/actors/past-days.ts';

/** Everything comes from REST. */
export const noPast: PastPort = { during: (_series, _hole, _signal, work) => work(NO_DAYS) };
