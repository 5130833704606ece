/** The store's chart over a writer, as a collector wires it. */
import { storeMachine } from '../../machines/store.machine.ts';
import { commitActor, openStoreActor, sealStoreActor } from '../../src/actors/store.ts';
import { Audits } from '../../src/pipeline/audits.ts';
import { CommitTimes } from '../../src/pipeline/commit-times.ts';
import { OpenGaps } from '../../src/pipeline/open-gaps.ts';
import type { StoreWriter } from '../../src/store/writer.ts';
import { host } from '../actors/harness.ts';
import { at, rig } from '../pipeline/candles.ts';
import { until } from '../support/wait.ts';

/** Open, and waiting for rows. */
export async function storeOver(writer: StoreWriter, flushMs: number) {
  const one = rig();
  const random = (): number => 0;
  const ports = {
    ...one,
    writer,
    audits: new Audits({ timeScale: 1, random, held: () => undefined, stored: () => undefined }),
    openGaps: new OpenGaps({ random }),
    commitTimes: new CommitTimes(),
    now: () => 0,
    exchangeNow: () => at(9),
    onOpen: () => {},
  };
  const actors = { open: openStoreActor(ports), commit: commitActor(ports), seal: sealStoreActor(ports) };
  const actor = host(storeMachine.provide({ actors }), {
    id: 'store',
    rows: one.rows,
    flushMs,
    now: () => 0,
  });
  await until('it is open', () => actor.types().includes('STORE.READY'));
  return { ...one, actor };
}
