/** Defects of how it behaves: what it says of itself, how it ends, and what it asks of others. */
import { type Mutant, patch } from './mutant.ts';

const COLLECTOR = 'machines/collector.setup.ts';
const CONNECTION = 'machines/connection.setup.ts';

/** Who supervises would end a part that is late: it gives each part all the time there is, and more. */
const UNSUPERVISED = [
  patch('machines/model/stop-time.ts', 'wholeMs - reserveOf(wholeMs) / 2;', '3 * wholeMs;'),
  patch(
    'machines/model/stop-time.ts',
    'return Math.floor(Math.min(deadlineMs, share));',
    'return Math.floor(Math.max(3 * wholeMs, Math.min(deadlineMs, share)));',
  ),
];

export const CONDUCT_MUTANTS: readonly Mutant[] = [
  {
    invariant: 'I4',
    name: 'says-live-early',
    does: 'a series is said to be live before a frame of it has come',
    patches: [
      patch('src/status.ts', "return snapshot.hasTag('live') ? 'live' : 'awaiting';", "return 'live';"),
    ],
  },
  {
    invariant: 'I4',
    name: 'takes-an-acknowledgement-for-proof',
    does: 'a connection counts as proved when its subscription was acknowledged',
    patches: [
      patch(
        'machines/connection.machine.ts',
        "'SOCKET.ACKED': 'proving',",
        "'SOCKET.ACKED': { target: 'live', actions: { type: 'tellUp', params: { proof: 'frame' } } },",
      ),
    ],
  },
  {
    invariant: 'I5',
    name: 'reports-late',
    does: 'a stop says that it is over long after it is',
    patches: [
      ...UNSUPERVISED,
      patch(
        'src/collector.ts',
        'await stopped.catch(() => {});',
        `await stopped.catch(() => {});
    await new Promise<void>((resolve) => clock.setTimeout(resolve, 2 * this.#options.stopTimeoutMs));`,
      ),
    ],
  },
  {
    invariant: 'I5',
    name: 'has-no-deadline',
    does: 'a stop waits a minute for a peer that does not answer',
    patches: [
      ...UNSUPERVISED,
      patch(COLLECTOR, 'inner(params.timeoutMs ?? context.stopTimeoutMs)', 'inner(180_000)'),
    ],
  },
  {
    invariant: 'I6',
    name: 'leaks-a-timer',
    does: 'the look through the bars that are owed goes on behind the stop',
    patches: [
      patch('src/actors/watch-bars.ts', 'return () => ports.clock.clearTimeout(timer);', 'return () => {};'),
    ],
  },
  {
    invariant: 'I6',
    // A socket that nobody owns any more still delivers, is one too many, and who supervises sees it.
    also: ['I4', 'I7', 'I8'],
    name: 'leaks-a-socket',
    does: 'a connection that was given up keeps its socket',
    patches: [
      patch(
        'src/actors/socket.ts',
        'subscriptions.clear();\n      socket.terminate();',
        'subscriptions.clear();',
      ),
    ],
  },
  {
    invariant: 'I7',
    name: 'ends-with-another-code',
    does: 'a SIGTERM ends it with the code of a SIGINT',
    patches: [patch('machines/model/exit-code.ts', 'SIGTERM: 143,', 'SIGTERM: 130,')],
  },
  {
    invariant: 'I7',
    name: 'fails-with-a-smile',
    does: 'what could not go on ends with the code of what went well',
    patches: [patch('machines/model/exit-code.ts', 'failed: 1,', 'failed: 0,')],
  },
  {
    invariant: 'I8',
    name: 'dials-without-a-pause',
    does: 'a connection that is refused is dialled again at once, and nobody counts',
    patches: [
      patch(
        CONNECTION,
        'const retryMs = reconnectDelay(context.timing.backoff, context.attempt, context.random(), context.end);',
        'const retryMs = Math.min(100, reconnectDelay(context.timing.backoff, context.attempt, context.random(), context.end));',
      ),
      patch(
        'src/actors/dial-gate.ts',
        'return Math.max(...this.#buckets.map((bucket) => bucket.waitMs(now)));',
        'return Math.min(0, now);',
      ),
    ],
  },
  {
    invariant: 'I8',
    // Those that are left at the end are a leak.
    also: ['I6'],
    name: 'hoards-timers',
    does: 'each pause of those who ask in the background arms a timer that nobody takes back',
    patches: [
      patch(
        'src/actors/ask-in-background.ts',
        'const pause = (ms: number): Promise<void> => sleep(ports.clock, ms, signal);',
        `const pause = (ms: number): Promise<void> => {
      ports.clock.setTimeout(() => {}, 86_400_000);
      return sleep(ports.clock, ms, signal);
    };`,
      ),
    ],
  },
  {
    invariant: 'I10',
    name: 'shows-a-body',
    does: 'an answer that is no JSON stands in the log as it came',
    patches: [
      patch(
        'src/binance/rest.ts',
        "malformedBody(path, 'the body of the answer is not JSON')",
        'malformedBody(path, answer.text)',
      ),
    ],
  },
  {
    invariant: 'I10',
    name: 'shows-a-header',
    does: 'a header of an answer that refuses stands in the log',
    patches: [
      patch(
        'src/actors/rest-session.ts',
        'if (imposed !== undefined) quota.impose(imposed);',
        `if (imposed !== undefined)
      quota.impose({ ...imposed, reason: imposed.reason + (answer.headers.get('x-secret') ?? '') });`,
      ),
    ],
  },
];
