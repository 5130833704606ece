/** A simulated exchange in a process of its own: it goes on whatever becomes of who collects from it. */
import { createTruth, type Fault, type LogEntry, type Truth } from '../../src/simulator/index.ts';
import { comes, type Program, startProgram } from './program.ts';

export interface RemoteExchange extends AsyncDisposable {
  readonly wsUrl: string;
  readonly restUrl: string;
  readonly timeScale: number;
  readonly truth: Truth;
  /** Exchange time, ms, by one reading and the local clock since. */
  now(): number;
  sockets(): Promise<number>;
  log(): Promise<readonly LogEntry[]>;
  /** Rejects when the fault is refused. */
  inject(fault: Fault): Promise<void>;
  clearFaults(): Promise<void>;
}

interface State {
  readonly now: number;
  readonly sockets: number;
}

/** Starts `candlestate simulate` on a free port. */
export async function startRemoteExchange(
  options: { readonly seed: number; readonly timeScale: number; readonly symbols: readonly string[] },
  cwd: string,
): Promise<RemoteExchange> {
  const { seed, timeScale, symbols } = options;
  const flags = ['--seed', String(seed), '--time-scale', String(timeScale), '--symbols', symbols.join(',')];
  const program: Program = startProgram(['simulate', ...flags], cwd);
  const kill = (): void => void program.process.kill('SIGKILL');
  // It outlives nobody, however we end.
  process.once('exit', kill);
  const line = await comes('the exchange', () => program.lines()[0]);
  const { wsUrl, restUrl, controlUrl } = JSON.parse(line) as Record<
    'wsUrl' | 'restUrl' | 'controlUrl',
    string
  >;
  const ask = async <T>(path: string): Promise<T> =>
    (await fetch(`${controlUrl}${path}`)).json() as Promise<T>;
  const sentAt = performance.now();
  const { now } = await ask<State>('/state');
  // At the latest: what it says came after the question left.
  const zero = now - (performance.now() - sentAt) * timeScale;
  return {
    wsUrl,
    restUrl,
    timeScale,
    truth: createTruth({ seed, symbols }),
    now: () => zero + (performance.now() - sentAt) * timeScale,
    sockets: async () => (await ask<State>('/state')).sockets,
    log: () => ask('/log'),
    inject: async (fault) => {
      const { ok, status } = await fetch(`${controlUrl}/faults`, {
        method: 'POST',
        body: JSON.stringify(fault),
      });
      if (!ok) throw new Error(`the fault was refused with ${status}`);
    },
    clearFaults: async () => {
      await fetch(`${controlUrl}/faults`, { method: 'DELETE' });
    },
    [Symbol.asyncDispose]: async () => {
      kill();
      await program.ended;
      process.off('exit', kill);
    },
  };
}
