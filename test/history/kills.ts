/**
 * Kills by command: `node test/history/kills.ts [--kills 10] [--seed 1]`. Three months of minutes are loaded into a store;
 * the program is killed at random moments, each time on a store and a cache as the one before has left them, and then
 * left alone. Exit 0: every bar once, as on the exchange, and nothing temporary left; 1: not.
 */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { sameValues } from '../../machines/model/kline.ts';
import { startSimulator } from '../../src/simulator/index.ts';
import { readStore } from '../oracle/store-file.ts';
import { startProgram } from '../support/program.ts';
import { seeded } from '../support/seeded.ts';

const { values } = parseArgs({
  options: { kills: { type: 'string', default: '10' }, seed: { type: 'string', default: '1' } },
});
const [kills, seed] = [Number(values.kills), Number(values.seed)];
if (![kills, seed].every((value) => Number.isSafeInteger(value) && value >= 0)) {
  process.stderr.write('--kills and --seed are whole numbers\n');
  process.exit(2);
}

const SYMBOL = 'BTCUSDT';
const FROM = Date.UTC(2026, 2, 1);
const TO = Date.UTC(2026, 5, 1);
const MINUTE_MS = 60_000;
/** Each answer of the archive comes so late, wall ms: that the load lasts longer than the lives. */
const ANSWER_MS = 40;
/** From the spawn to the kill, wall ms. */
const LIFE_MS = { from: 200, to: 1_800 };

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const folder = mkdtempSync(join(tmpdir(), 'candlestate-kills-'));
const [store, cache, temporary] = ['candles.db', 'cache', 'tmp'].map((name) => join(folder, name)) as [
  string,
  string,
  string,
];
const random = seeded(seed);
const exchange = await startSimulator({
  seed,
  timeScale: 1,
  startTime: TO + 20 * 86_400_000,
  symbols: [SYMBOL],
});
const begin = () =>
  startProgram(
    [
      ...['history', '--symbol', SYMBOL, '--interval', '1m', '--from', String(FROM), '--to', String(TO)],
      ...['--rest-url', exchange.restUrl, '--vision-url', exchange.visionUrl, '--db', store],
      ...['--cache-dir', cache, '--log-level', 'warn'],
    ],
    folder,
  );
const stored = (): number => (existsSync(store) ? readStore(store).candles.length : 0);

const problems: string[] = [];
exchange.inject({ kind: 'rest', path: '/data/', delayMs: ANSWER_MS });
for (let kill = 1; kill <= kills; kill++) {
  const life = begin();
  const livedMs = LIFE_MS.from + random() * (LIFE_MS.to - LIFE_MS.from);
  await Promise.race([sleep(livedMs), life.ended]);
  life.process.kill('SIGKILL');
  const end = await life.ended;
  if (typeof end === 'number' && end !== 0)
    problems.push(`kill ${kill}: ended by itself with ${end}: ${life.stderr()}`);
  say(`kill ${kill} after ${Math.round(livedMs)} ms (${end}): ${stored()} bars`);
}
exchange.clearFaults();
const last = begin();
const code = await last.ended;
if (code !== 0) problems.push(`the last run ended with ${code}: ${last.stderr()}`);

const { integrity, candles, gaps } = readStore(store);
if (integrity !== 'ok') problems.push(`integrity: ${integrity}`);
if (gaps.length > 0) problems.push(`${gaps.length} gaps`);
let wrong = 0;
for (let at = FROM, index = 0; at < TO; at += MINUTE_MS, index++) {
  const [is, should] = [candles[index], exchange.truth.candle(SYMBOL, '1m', at)];
  if (is === undefined || should === undefined || is.openTime !== at || !sameValues(is, should)) wrong += 1;
}
const wanted = (TO - FROM) / MINUTE_MS;
if (wrong > 0 || candles.length !== wanted)
  problems.push(`${candles.length} of ${wanted} bars, ${wrong} other than on the exchange`);
for (const place of [join(cache, 'tmp'), join(cache, 'runs'), temporary]) {
  const left = existsSync(place) ? readdirSync(place, { recursive: true }) : [];
  if (left.length > 0) problems.push(`left in ${place}: ${left.slice(0, 5).join(', ')}`);
}
await exchange.close();
if (problems.length === 0) {
  say(`seed ${seed}: kept, ${candles.length} bars after ${kills} kills, nothing temporary left`);
  rmSync(folder, { recursive: true, force: true });
} else {
  say(`seed ${seed}: BROKEN\n${problems.join('\n')}\n${folder}`);
  process.exitCode = 1;
}
