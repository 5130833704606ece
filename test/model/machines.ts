import { collectorModel } from './collector.model.ts';
import { connectionModel } from './connection.model.ts';
import { feedModel } from './feed.model.ts';
import { klineStreamModel } from './kline-stream.model.ts';
import { processModel } from './process.model.ts';
import { restSessionModel } from './rest-session.model.ts';
import { storeModel } from './store.model.ts';

/** The charts of candlestate, from the root down. */
export const machineModels = {
  collector: collectorModel,
  feed: feedModel,
  connection: connectionModel,
  klineStream: klineStreamModel,
  restSession: restSessionModel,
  store: storeModel,
  process: processModel,
};
