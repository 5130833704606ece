import { cleanupModel } from './cleanup.model.ts';
import { collectorModel } from './collector.model.ts';
import { componentModel } from './component.model.ts';
import { connectionModel } from './connection.model.ts';
import { feedModel } from './feed.model.ts';
import { historyModel } from './history.model.ts';
import { klineStreamModel } from './kline-stream.model.ts';
import { processModel } from './process.model.ts';
import { restSessionModel } from './rest-session.model.ts';
import { storeModel } from './store.model.ts';
import { supervisorModel } from './supervisor.model.ts';

/** The charts of candlestate: of a process and its application, then the collector's from its root down, and a load's. */
export const machineModels = {
  process: processModel,
  supervisor: supervisorModel,
  component: componentModel,
  cleanup: cleanupModel,
  collector: collectorModel,
  feed: feedModel,
  connection: connectionModel,
  klineStream: klineStreamModel,
  restSession: restSessionModel,
  store: storeModel,
  history: historyModel,
};
