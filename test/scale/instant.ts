/** A clock that all processes of a machine have in common, and that nobody sets. */

/** Monotonic ms with fractions: the system's own, so that two readings in two processes can be compared. */
export const instant = (): number => Number(process.hrtime.bigint()) / 1e6;
