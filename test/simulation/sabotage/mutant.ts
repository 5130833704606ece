/** A defect that is put into the program on purpose: a proof that never finds one proves nothing. */

export type Invariant = 'I1' | 'I2' | 'I3' | 'I4' | 'I5' | 'I6' | 'I7' | 'I8' | 'I9' | 'I10';

/** In `file`, a path from the repository's root, `replace` stands in the place of `find`. */
export interface Patch {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

export interface Mutant {
  /** The one that it breaks. */
  readonly invariant: Invariant;
  /** Those that may be seen broken before it, by the same defect. */
  readonly also?: readonly Invariant[];
  readonly name: string;
  /** What it does, as its victim would say it. */
  readonly does: string;
  readonly patches: readonly Patch[];
}

export const patch = (file: string, find: string, replace: string): Patch => ({ file, find, replace });
