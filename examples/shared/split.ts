import type { Random } from './random.js';

/** Indices of the training samples and of the held-out samples. */
export interface Split {
  readonly training: Int32Array;
  readonly heldOut: Int32Array;
}

/**
 * Holds out a fraction of the groups 0, 1, …. The samples of a group are either all held out or all
 * used for training.
 */
export function splitByGroup(groups: Int32Array, heldOutFraction: number, random: Random): Split {
  const count = groups.reduce((most, group) => Math.max(most, group), 0) + 1;
  const order = random.shuffle(Int32Array.from({ length: count }, (_, group) => group));
  const heldOutGroups = new Set(order.subarray(0, Math.round(heldOutFraction * count)));
  const all = Int32Array.from(groups.keys());
  return {
    training: all.filter((index) => !heldOutGroups.has(groups[index]!)),
    heldOut: all.filter((index) => heldOutGroups.has(groups[index]!)),
  };
}
