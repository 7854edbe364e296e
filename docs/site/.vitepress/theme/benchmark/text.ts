// Words and numbers, as the page shows them and as a visitor copies them.

import { LIBRARIES } from './entries.js';
import type { Machine } from './machine.js';
import {
  doubtfulSpread,
  fastestOf,
  type Group,
  hasTimes,
  type Measurement,
  type Range,
  type Result,
  rangeOf,
  ratioOf,
} from './result.js';
import { nameOf } from './settings.js';

/** Writes a number with some significant digits, and never with an exponent. */
function significant(value: number, digits: number): string {
  return value.toLocaleString('en', { maximumSignificantDigits: digits });
}

/** Writes a time that is given in milliseconds. */
export function duration(value: number): string {
  return value < 0.1 ? `${significant(1000 * value, 3)} µs` : `${significant(value, 3)} ms`;
}

export function times(ratio: number): string {
  return `${significant(ratio, 2)} ×`;
}

export function span({ least, most }: Range): string {
  return `${significant(least, 2)}–${significant(most, 2)}`;
}

/** A number that stands out, and its caption. */
export interface Figure {
  readonly value: string;
  readonly caption: string;
  /** Whether the machine was too busy for the number to count. */
  readonly isDoubtful: boolean;
}

/** Returns the time of this library, and the ratio of the fastest contestant of each other. */
export function figuresOf(group: Group): Figure[] {
  const [first] = group.measurements;
  if (!first || !hasTimes(first)) return [];
  const isDoubtful = doubtfulSpread([group]) !== undefined;
  const doubt = isDoubtful ? ': too noisy to say' : '';
  const own = {
    value: duration(rangeOf(first.times).middle),
    caption: `a call of this library${doubt}`,
    isDoubtful,
  };
  const others = LIBRARIES.slice(1).flatMap((library) => {
    const fastest = fastestOf(library, group);
    const ratio = fastest && ratioOf(fastest, group);
    if (!ratio) return [];
    return [
      {
        value: times(ratio.middle) + (isDoubtful ? ` (${span(ratio)})` : ''),
        caption: `as long with ${library} (${fastest.name})${doubt}`,
        isDoubtful,
      },
    ];
  });
  return [own, ...others];
}

/** Says how closely the answers of the contestants agree; undefined if there are none to compare. */
export function agreementOf({ measurements }: Group): string | undefined {
  const measured = measurements.filter(hasTimes);
  if (measured.length < 2) return undefined;
  const loss = Math.max(...measured.map(({ lossDifference }) => lossDifference));
  const gradient = Math.max(...measured.map(({ gradientDifference }) => gradientDifference));
  return `The losses of all ${measured.length} agree within ${relative(loss)}, their gradients within ${relative(gradient)} of the largest element.`;
}

export function relative(difference: number): string {
  return difference === 0 ? '0' : difference.toExponential(0);
}

export function busyNote(groups: readonly Group[]): string | undefined {
  const spread = doubtfulSpread(groups);
  if (spread === undefined) return undefined;
  return `This machine is busy: the rounds of this library lie ${Math.round(100 * spread)} % from their median. Close other programs and measure again. Ratios suffer less than times.`;
}

function describeWork({ temperature, alpha }: Result): string {
  const labels = alpha === undefined ? 'without labels' : `with labels, alpha = ${alpha}`;
  return `Value and gradient of the response loss, T = ${temperature}, ${labels}, float32`;
}

/** Describes the machine as pairs of a name and a value. */
export function describe(machine: Machine): [name: string, value: string][] {
  const { cores, gigabytes, clock } = machine;
  const memory = gigabytes === undefined ? '' : `, about ${gigabytes} GB of memory`;
  return [
    ['Browser', machine.browser],
    ['System', machine.system],
    ['Machine', `${cores} cores${memory}`],
    ['Graphics', machine.graphics ?? 'no WebGL in workers'],
    ['Kernel', `${machine.kernel}: ${machine.kernelReason}`],
    ['Clock', `steps of ${significant(clock, 2)} ms; ${isolation(machine)}`],
  ];
}

function isolation({ isIsolated }: Machine): string {
  return isIsolated ? 'the page is isolated' : 'the page is not isolated, so without threads';
}

export function rowName({ library, name, note }: Measurement): string {
  return `${library}, ${name}${note === undefined ? '' : ` (${note})`}`;
}

/** Writes a result for an issue or a message. */
export function toText(result: Result): string {
  const { date, machine, groups } = result;
  const lines = [
    `knowledge-distillation, benchmark in the browser, ${date.slice(0, 16).replace('T', ' ')} UTC`,
    ...describe(machine).map(([name, value]) => `${name}: ${value}`),
    `${describeWork(result)}. Median of the rounds in turn (least – most), and median ratio to the first line.`,
  ];
  const note = busyNote(groups);
  if (note !== undefined) lines.push(note);
  for (const group of groups) {
    lines.push('', nameOf(group), ...group.measurements.map((one) => lineOf(one, group)));
    const agreement = agreementOf(group);
    if (agreement !== undefined) lines.push(agreement);
  }
  return `${lines.join('\n')}\n`;
}

function lineOf(one: Measurement, group: Group): string {
  const ratio = ratioOf(one, group);
  if (!hasTimes(one)) return `  ${rowName(one)}: ${'failed' in one ? one.failed : 'not measured'}`;
  const range = rangeOf(one.times);
  const time = `${duration(range.middle)} (${duration(range.least)} – ${duration(range.most)})`;
  return `  ${rowName(one)}: ${time}${ratio ? `, ${times(ratio.middle)}` : ''}`;
}
