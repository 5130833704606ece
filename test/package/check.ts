/**
 * What a user of the published package gets: packs it, installs it into an empty project, type-checks and runs
 * a program against each entry, and runs the command. Started by `npm run check:package`, after a build.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = new URL('../..', import.meta.url).pathname;
const project = mkdtempSync(join(tmpdir(), 'candlestate-package-'));
const run = (command: string, args: readonly string[], cwd: string): string =>
  execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
const say = (line: string): void => void process.stdout.write(`${line}\n`);

const EXPECTED =
  /^(dist\/.+\.(js|d\.ts)|dist\/inspector\/.+\.(html|css|svg|md)|README\.md|LICENSE|CHANGELOG\.md|package\.json)$/;

interface Packed {
  readonly filename: string;
  readonly size: number;
  readonly files: readonly { readonly path: string }[];
}

try {
  const packArgs = ['pack', '--json', '--ignore-scripts', '--pack-destination', project];
  const [packed] = JSON.parse(run('npm', packArgs, root)) as Packed[];
  if (packed === undefined) throw new Error('npm pack packed nothing');
  const strangers = packed.files.map((file) => file.path).filter((path) => !EXPECTED.test(path));
  if (strangers.length > 0) throw new Error(`the package holds what no user needs: ${strangers.join(', ')}`);
  say(`packed ${packed.files.length} files, ${packed.size} bytes`);

  writeFileSync(
    join(project, 'package.json'),
    JSON.stringify({ name: 'user', private: true, type: 'module' }),
  );
  run('npm', ['install', '--no-audit', '--no-fund', join(project, packed.filename)], project);

  writeFileSync(
    join(project, 'user.ts'),
    `import { BinanceDataCollector, type Candle, type CandleBlock, candlesIn, type CollectorHealth, type Gap, type History,
  type HistoryReport, type InspectorOptions, loadHistory, startInspector, type Supervisor } from 'candlestate';
import { collectorMachine, INTERVALS } from 'candlestate/machines';
import { startSimulator } from 'candlestate/simulator';
// Whatever these give has a name that a user's own declarations can use.
export const watched = (one: BinanceDataCollector) => [one.actor, one.vitals, one.health, one.status, one.on] as const;
export const figures = (one: BinanceDataCollector) => [one.vitals().counters, one.health().ailments] as const;
export const shown = (one: Supervisor) => ({ roots: [one.actor] }) satisfies InspectorOptions;
const exchange = await startSimulator({ timeScale: 600 });
const urls = { wsUrl: exchange.wsUrl, restUrl: exchange.restUrl, visionUrl: exchange.visionUrl };
await using collector = new BinanceDataCollector({ symbols: ['BTCUSDT'], intervals: ['1m'], network: urls,
  timeScale: 600, store: 'user.db' });
await collector.startStreaming();
const candles: Candle[] = [];
for await (const candle of collector.candles({ symbol: 'BTCUSDT', interval: '1m' })) {
  candles.push(candle);
  if (candles.length === 3) break;
}
const hour = { symbol: 'BTCUSDT', interval: '1m', from: Date.now() - 7_200_000, to: Date.now() - 3_600_000 } as const;
const inspector = await startInspector(collector, { port: 0 });
const page = await fetch(inspector.url);
const html = await page.text();
if (page.status !== 200 || !html.includes('<script')) throw new Error('the page is not there: ' + html);
const health: CollectorHealth = collector.health();
if (!health.ok) throw new Error('it streams and is not well');
await inspector.close();
const past: History = await collector.getHistory(hour);
const report = await collector.stop();
const load = loadHistory({ ...hour, network: { restUrl: exchange.restUrl, visionUrl: exchange.visionUrl } });
const loaded: HistoryReport = await load.done;
const [blocks, gaps]: [readonly CandleBlock[], readonly Gap[]] = [load.blocks, loaded.gaps];
const bars = blocks.flatMap((block) => [...candlesIn(block)]);
if (bars.length !== past.candles.length || bars.length + gaps.length !== 60) throw new Error('an hour has 60 minutes');
await exchange.close();
process.stdout.write(\`\${candles.length} candles, \${INTERVALS.length} intervals, \${collectorMachine.id}, clean \${report.clean}\\n\`);
`,
  );
  const compiler = [
    '--module',
    'nodenext',
    '--target',
    'es2023',
    '--lib',
    'es2024,esnext.disposable',
    '--strict',
    '--declaration',
  ];
  const types = ['--types', 'node', '--typeRoots', join(root, 'node_modules/@types'), '--skipLibCheck'];
  run(join(root, 'node_modules/.bin/tsc'), [...compiler, ...types, 'user.ts'], project);
  const said = run(process.execPath, ['user.js'], project);
  if (said !== '3 candles, 15 intervals, collector, clean true\n')
    throw new Error(`the program said: ${said}`);
  say(`a program against the three entries: ${said.trim()}`);

  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  const bin = join(project, 'node_modules/.bin/candlestate');
  if (run(bin, ['--version'], project).trim() !== version)
    throw new Error('the command tells another version');
  run(bin, ['collect', '--duration', '3s', '--no-http'], project);
  say('the command ran for 3 s and ended with 0');
} finally {
  rmSync(project, { recursive: true, force: true });
}
