/** Who plays the sockets, cursors, REST and store of a crowd: each does what it is told, and remembers whom to tell. */
import { fromCallback, fromPromise } from 'xstate';
import { closeOnFault } from '../../machines/close-on-fault.ts';
import { collectorMachine } from '../../machines/collector.machine.ts';
import type { Prepared } from '../../machines/collector.types.ts';
import { connectionMachine } from '../../machines/connection.machine.ts';
import type {
  PermitInput,
  Proof,
  ProofInput,
  SocketCommand,
  SocketEvent,
  SocketInput,
} from '../../machines/connection.types.ts';
import { endingStreams } from '../../machines/ending-streams.ts';
import { feedMachine } from '../../machines/feed.machine.ts';
import type { FeedInput } from '../../machines/feed.types.ts';
import { klineStreamMachine } from '../../machines/kline-stream.machine.ts';
import type {
  CursorEvent,
  ProveStreamInput,
  RepairResult,
  StreamProof,
} from '../../machines/kline-stream.types.ts';
import { type Series, seriesKey } from '../../machines/model/kline.ts';
import { type RestCall, restSessionMachine } from '../../machines/rest-session.machine.ts';
import { storeMachine } from '../../machines/store.machine.ts';

export class CrowdScripts {
  /** Who listens, by the id of the connection, or by the key of the series. */
  readonly sockets = new Map<string, (event: SocketEvent) => void>();
  readonly cursors = new Map<string, (event: CursorEvent) => void>();
  readonly repairs = new Map<string, (result: RepairResult) => void>();
  /** What REST says of a silent series. Default `quiet`. */
  readonly verdicts = new Map<string, StreamProof>();

  /** The project's charts, with these scripts for actors. */
  machine(feeds: readonly FeedInput[]): typeof collectorMachine {
    const idle = fromCallback(() => {});
    const done = fromPromise<void>(async () => {});
    const socket = fromCallback<SocketCommand, SocketInput>(({ input, sendBack, receive }) => {
      this.sockets.set(input.id, sendBack);
      receive((command) => {
        if (command.type === 'PING') sendBack({ type: 'SOCKET.ALIVE' });
        if (command.type === 'CLOSE')
          sendBack({
            type: 'SOCKET.CLOSED',
            end: { code: 1000 },
            cause: 'closed',
            reason: 'closed as asked',
          });
      });
      return () => void this.sockets.delete(input.id);
    });
    const connection = closeOnFault(
      connectionMachine.provide({
        actors: {
          permit: fromPromise<void, PermitInput>(async () => {}),
          socket,
          prove: fromPromise<Proof, ProofInput>(async () => 'quiet'),
        },
      }),
    );
    const klineStream = closeOnFault(
      klineStreamMachine.provide({
        actions: {
          attachCursor: ({ context, self }) =>
            void this.cursors.set(seriesKey(context.series), (event) => self.send(event)),
          detachCursor: ({ context }) => void this.cursors.delete(seriesKey(context.series)),
          tellCursor: () => {},
        },
        actors: {
          repair: fromPromise<RepairResult, Series>(
            ({ input }) => new Promise((resolve) => this.repairs.set(seriesKey(input), resolve)),
          ),
          proveStream: fromPromise<StreamProof, ProveStreamInput>(
            async ({ input }) => this.verdicts.get(seriesKey(input.series)) ?? 'quiet',
          ),
        },
      }),
    );
    return closeOnFault(
      collectorMachine.provide({
        actors: {
          feed: closeOnFault(endingStreams(feedMachine.provide({ actors: { connection, klineStream } }))),
          store: closeOnFault(storeMachine.provide({ actors: { open: done, commit: done, seal: done } })),
          rest: closeOnFault(
            restSessionMachine.provide({
              actors: { call: fromPromise<unknown, RestCall>(async () => ({})), release: done },
            }),
          ),
          prepare: fromPromise<Prepared>(async () => ({ feeds, retire: [] })),
          keepTime: idle,
          watchBars: idle,
          watchSymbols: idle,
          auditBars: idle,
          recheckGaps: idle,
        },
      }),
    );
  }
}
