/** One ending as a sentence, shown by a real process. */
export interface Case {
  readonly name: string;
  /** Resolves to what was seen. Throws {@link Skipped} where it can't be shown here, anything else when it is broken. */
  run(folder: string): Promise<string>;
}

export interface Verdict {
  readonly outcome: 'ok' | 'skipped' | 'BROKEN';
  readonly detail: string;
}

export async function judgeCase(one: Case, folder: string): Promise<Verdict> {
  try {
    return { outcome: 'ok', detail: await one.run(folder) };
  } catch (error) {
    const { message } = error as Error;
    if (error instanceof Skipped) return { outcome: 'skipped', detail: message };
    return { outcome: 'BROKEN', detail: message };
  }
}

/** This machine lacks what it takes. */
export class Skipped extends Error {}

/** Throws what is wrong, all of it. */
export function mustHold(complaints: readonly (string | false)[]): void {
  const wrong = complaints.filter((one) => one !== false);
  if (wrong.length > 0) throw new Error(wrong.join('; '));
}

export const mustEnd = (code: number, wanted: number): string | false =>
  code !== wanted && `exit ${code}, not ${wanted}`;

export const mustTakeLess = (tookMs: number, limitMs: number): string | false =>
  tookMs >= limitMs && `it took ${tookMs.toFixed(0)} ms, not less than ${limitMs}`;
