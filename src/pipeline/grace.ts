/** A close is owed so long after the bar's end, exchange ms (contract 2). */
const GRACE_MS = 5_000;
/** Up to so much more, so that many collectors do not ask at the same instant, exchange ms. */
const JITTER_MS = 1_000;
/** However fast exchange time runs, frames travel in wall time: at least so long, wall ms. */
const GRACE_WALL_MS = 500;

/** How long after a bar's end its close is owed, exchange ms. */
export const closeGraceMs = (timeScale: number, random: number): number =>
  Math.max(GRACE_MS, GRACE_WALL_MS * timeScale) + JITTER_MS * random;
