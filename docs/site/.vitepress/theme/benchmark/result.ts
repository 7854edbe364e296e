// The numbers of a run, and the statistics that the page shows.

import { median, quotients } from '../../../../../bench/statistics.js';
import type { Library } from './entries.js';
import type { Machine } from './machine.js';
import type { Size } from './settings.js';

/** What the worker tells the page, after each step of a run. */
export type Report =
  | {
      readonly result: Result;
      /** What happens now; undefined at the end. */
      readonly step?: string;
      /** The part of the run that is done, in [0, 1]. */
      readonly done: number;
    }
  | { readonly failed: string };

export interface Result {
  readonly date: string;
  readonly machine: Machine;
  readonly temperature: number;
  /** Weight of the labels; undefined if the run has no labels. */
  readonly alpha?: number;
  readonly groups: readonly Group[];
}

/** All contestants on one batch. */
export interface Group extends Size {
  readonly measurements: readonly Measurement[];
}

export type Measurement = {
  readonly name: string;
  readonly library: Library;
  readonly note?: string;
} & (Measured | { readonly failed: string });

export interface Measured {
  readonly loss: number;
  /** Relative difference of the loss from the loss of the first contestant. */
  readonly lossDifference: number;
  /** Largest difference of the gradients, relative to the largest element. */
  readonly gradientDifference: number;
  /** Milliseconds of the first call, which compiles and allocates. */
  readonly firstCall: number;
  /** Milliseconds of the calls after the first one that are not counted. */
  readonly warmUp: number;
  readonly callsPerRound: number;
  /** Milliseconds of one call in each round. */
  readonly times: readonly number[];
}

export interface Range {
  readonly middle: number;
  readonly least: number;
  readonly most: number;
}

export function rangeOf(values: readonly number[]): Range {
  return { middle: median(values), least: Math.min(...values), most: Math.max(...values) };
}

export function hasTimes(one: Measurement): one is Measurement & Measured {
  return 'times' in one && one.times.length > 0;
}

/**
 * Returns how many times as long as the first contestant another one takes, by the quotients of
 * each round; undefined before both have been measured.
 */
export function ratioOf(one: Measurement, { measurements }: Group): Range | undefined {
  const [first] = measurements;
  if (!first || !hasTimes(first) || !hasTimes(one)) return undefined;
  return rangeOf(quotients(one.times, first.times));
}

/** The middle distance of the rounds from their median, relative to it. */
function spreadOf(times: readonly number[]): number {
  const middle = median(times);
  return median(times.map((time) => Math.abs(time - middle))) / middle;
}

/** With a larger spread, the times of two contestants that differ by some percent may be equal. */
const BUSY = 0.1;

/** Returns the largest spread of this library's rounds if it makes the times doubtful. */
export function doubtfulSpread(groups: readonly Group[]): number | undefined {
  const own = groups.flatMap(({ measurements }) => measurements.slice(0, 1)).filter(hasTimes);
  const spread = Math.max(0, ...own.map(({ times }) => spreadOf(times)));
  return spread > BUSY ? spread : undefined;
}

/** Returns the contestant of a library with the least ratio to the first contestant. */
export function fastestOf(library: Library, group: Group): Measurement | undefined {
  const ratio = (one: Measurement) => ratioOf(one, group)?.middle ?? Number.POSITIVE_INFINITY;
  return group.measurements
    .filter((one) => one.library === library)
    .sort((a, b) => ratio(a) - ratio(b))[0];
}
