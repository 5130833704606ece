/** Contenders as there must be none, each by its mode: what the benchmark says of them shows that it counts. */
import { startByHand } from './by-hand.ts';
import { type Bar, type Contender, contend, type Scene } from './contender.ts';

type Distort = (bars: readonly Bar[]) => readonly Bar[];

const LIES: Readonly<Record<string, Distort>> = {
  loses: (bars) => bars.slice(1),
  repeats: (bars) => [...bars, ...bars.slice(0, 1)],
  invents: ([first, ...others]) => [{ ...(first as Bar), close: 1 }, ...others],
};

async function start(scene: Scene): Promise<Contender> {
  const { mode, symbols } = scene;
  const honest = await startByHand({
    ...scene,
    mode: 'floor',
    symbols: mode === 'deaf' ? symbols.slice(1) : symbols,
  });
  if (mode === 'dies') {
    const before = honest.frames?.() ?? 0;
    const perish = (): never => {
      throw new RangeError('it broke');
    };
    // While frames come; at the latest when it is asked what it got.
    setInterval(() => (honest.frames?.() ?? 0) > before && perish(), 1);
    return { ...honest, bars: perish };
  }
  if (mode === 'leaves') {
    // It is told to begin.
    process.once('message', () => void honest.stop());
    return { bars: () => honest.bars?.() ?? [], stop: honest.stop };
  }
  if (mode === 'exaggerates') return { ...honest, frames: () => 2 * (honest.frames?.() ?? 0) };
  const lie = LIES[mode];
  if (lie === undefined) return honest;
  // Honest until the second signal: what is missed is waited for, and once is enough.
  let signals = 0;
  process.on('message', () => signals++);
  const bars = () => honest.bars?.() ?? [];
  return { ...honest, bars: () => (signals < 2 ? bars() : lie(bars())) };
}

await contend(start);
