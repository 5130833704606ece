/** What an inspector can't be told is refused as the options of a collector are, before anything is begun. */
import { readFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import {
  BinanceDataCollector,
  ConfigurationError,
  type InspectorOptions,
  inspectorComponent,
  startInspector,
} from '../../src/index.ts';

const collector = new BinanceDataCollector({ symbols: ['BTCUSDT'], intervals: ['1m'], network: 'simulator' });

const refusal = async (options: unknown, watched: unknown = collector): Promise<string> => {
  const started = startInspector(watched as never, options as never);
  // One that begins after all is not left behind.
  onTestFinished(() => started.then((inspector) => inspector.close()).catch(() => {}));
  const error: unknown = await started.then(
    ({ url }) => `it listens on ${url}`,
    (one) => one,
  );
  expect(error).toBeInstanceOf(ConfigurationError);
  return (error as ConfigurationError).issues
    .map(({ option, given, allowed }) => `${option}: ${given}; ${allowed}`)
    .join(' | ');
};

test.each([
  [{ port: 70_000 }, 'port: 70000; a whole number from 0 to 65535'],
  [{ port: 'page.sock' }, `port: "page.sock"; a whole number from 0 to 65535`],
  [{ port: 0, host: 7 }, 'host: 7; a name or an address'],
  // Node would listen on all addresses of the machine.
  [{ port: 0, host: '' }, `host: ""; a name or an address`],
  [{ port: 0, allowedHosts: 'x' }, `allowedHosts: "x"; an array of names, as ['collector.lan']`],
  [{ port: 0, allowedHosts: ['x', 7] }, 'allowedHosts[1]: 7; a name or an address'],
  [{ port: 0, viewer: 'y' }, `viewer: "y"; 'stately', or left out`],
  [{ port: 0, roots: [7] }, 'roots[0]: 7; an actor of XState with the functions getSnapshot, subscribe'],
  [{ port: 0, clock: 7 }, 'clock: 7; a clock with the functions now, wallNow, setTimeout, clearTimeout'],
  [{ prot: 0 }, 'prot: 0; there is no such option; did you mean port?'],
  [
    { port: -1, viewer: 'y' },
    `port: -1; a whole number from 0 to 65535 | viewer: "y"; 'stately', or left out`,
  ],
  [null, 'options: null; an object of options'],
])('startInspector refuses %j', async (options, said) => {
  expect(await refusal(options)).toBe(said);
});

test('and what is no collector', async () => {
  expect(await refusal({ port: 0 }, {})).toMatch(
    /^collector: .*; a BinanceDataCollector, or what behaves like one/u,
  );
});

test('inspectorComponent refuses the same as it is made', () => {
  expect(() => inspectorComponent(collector, { port: 70_000 })).toThrow(ConfigurationError);
  expect(() => inspectorComponent(collector, { name: 'page', port: 0, roots: [] })).not.toThrow();
});

test('docs/watching.md tells every option, and a default of each', () => {
  // Of programs that have a clock of their own it is told in the docstring alone.
  const options: Required<Record<keyof Omit<InspectorOptions, 'clock'>, true>> = {
    port: true,
    host: true,
    allowedHosts: true,
    roots: true,
    viewer: true,
    logger: true,
  };
  const text = readFileSync(new URL('../../docs/watching.md', import.meta.url), 'utf8');
  const [, table = ''] = text.split('| option         | default     |');
  const told = [...(table.split('\n\n')[0] ?? '').matchAll(/^\| `(\w+)`/gmu)].map(([, name]) => name);
  expect(told).toEqual(Object.keys(options));
});

test('no options, and options that are undefined, are none', async () => {
  const options = { port: 0, host: undefined, allowedHosts: undefined, roots: [], viewer: undefined };
  await using inspector = await startInspector(collector, options);
  expect(inspector.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/u);
});
