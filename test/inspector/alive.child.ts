/** A program that shows its collector and has nothing more to do once its input has ended. It closes nothing. */
import { BinanceDataCollector } from '../../src/index.ts';
import { startInspector } from '../../src/inspector/start.ts';

process.stdin.resume();
const collector = new BinanceDataCollector({ symbols: ['BTCUSDT'], intervals: ['1m'], network: 'simulator' });
const { url } = await startInspector(collector, { port: 0 });
process.stdout.write(`${url}\n`);
