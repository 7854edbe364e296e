import { UNLABELED } from 'knowledge-distillation';
import { CLASSES, PRESETS } from './distributions.js';
import type { Loss } from './losses.js';

// The state of the page, and its form in the address. Only letters, digits and ".,-=&" stand there,
// so that a link survives the programs that people send it through.

/** What a visitor has set. */
export interface State {
  /** The name of the chosen loss. */
  loss: string;
  /** The numeric options of the chosen loss. */
  options: Record<string, number>;
  temperature: number;
  /** A class, or −1 for none. */
  label: number;
  alpha: number;
  teacher: number[];
  student: number[];
  /** The losses of the two students that descend. */
  left: string;
  right: string;
  descentTemperature: number;
  /** Mean and width of the student at the start of the descent. */
  mean: number;
  width: number;
}

/** The temperatures of the slider, from 0.5 to 20. */
export const TEMPERATURES: readonly number[] = [
  0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.2, 1.4, 1.6, 1.8, 2, 2.5, 3, 3.5, 4, 5, 6, 7, 8, 10, 12, 14, 16, 18,
  20,
];

/** The least and the largest number that each may be. */
export const RANGES = {
  alpha: [0, 1],
  logit: [-200, 200],
  mean: [0, 40],
  width: [1, 12],
  option: [-100, 100],
} as const;

/** The state of a first visit. */
export function initialState(losses: readonly Loss[]): State {
  const { teacher, student } = PRESETS['Confident teacher']!;
  return {
    loss: 'Response',
    options: defaultsOf(losses, 'Response'),
    temperature: 2,
    label: 0,
    alpha: 0,
    teacher: [...teacher],
    student: [...student],
    left: 'Response',
    right: 'ReverseKL',
    descentTemperature: 1,
    mean: 20,
    width: 3,
  };
}

/** The numeric options of a loss at their defaults. */
export function defaultsOf(losses: readonly Loss[], name: string): Record<string, number> {
  const options = losses.find((loss) => loss.name === name)?.options ?? [];
  return Object.fromEntries(options.map(({ name, defaultValue }) => [name, defaultValue]));
}

/** The state as it stands behind the # of the address: all that differs from a first visit. */
export function toHash(state: State, losses: readonly Loss[]): string {
  const written = entriesOf(state);
  const initial = { ...initialState(losses), options: defaultsOf(losses, state.loss) };
  const standard = new Map(entriesOf(initial));
  return written
    .filter(([key, value]) => standard.get(key) !== value)
    .map(([key, value]) => `${key}=${value}`)
    .join('&');
}

function entriesOf(state: State): [key: string, value: string][] {
  const numbers = (values: readonly number[]) => values.map(rounded).join(',');
  return [
    ['loss', state.loss],
    ...Object.entries(state.options).map(([key, value]): [string, string] => [key, rounded(value)]),
    ['T', rounded(state.temperature)],
    ['label', CLASSES[state.label] ?? 'none'],
    ['alpha', rounded(state.alpha)],
    ['teacher', numbers(state.teacher)],
    ['student', numbers(state.student)],
    ['left', state.left],
    ['right', state.right],
    ['descentT', rounded(state.descentTemperature)],
    ['mean', rounded(state.mean)],
    ['width', rounded(state.width)],
  ];
}

/** Two decimals are finer than a hand. */
function rounded(value: number): string {
  return String(Number(value.toFixed(2)) + 0); // the 0 takes the sign from −0
}

/** Reads the part of an address behind its #. What cannot be read is as on a first visit. */
export function fromHash(hash: string, losses: readonly Loss[]): State {
  const entries = new URLSearchParams(hash.replace(/^#/, ''));
  const state = initialState(losses);
  const lossAt = (key: string, standard: string): string => {
    const name = entries.get(key);
    return losses.some((loss) => loss.name === name) ? name! : standard;
  };
  const numberAt = (key: string, range: readonly [number, number], standard: number): number =>
    within(entries.get(key), range) ?? standard;
  const temperatureAt = (key: string, standard: number): number => {
    const wanted = within(entries.get(key), [0, Number.MAX_VALUE]) ?? standard;
    const distance = (each: number) => Math.abs(each - wanted);
    return TEMPERATURES.reduce((best, each) => (distance(each) < distance(best) ? each : best));
  };
  const logitsAt = (key: string, standard: number[]): number[] => {
    const found = (entries.get(key) ?? '').split(',').map((text) => within(text, RANGES.logit));
    const isWhole = found.length === CLASSES.length && !found.includes(undefined);
    return isWhole ? (found as number[]) : standard;
  };
  const labels: readonly string[] = CLASSES;
  const label = entries.get('label');
  const loss = lossAt('loss', state.loss);
  const options = Object.entries(defaultsOf(losses, loss)).map(([key, standard]) => [
    key,
    numberAt(key, RANGES.option, standard),
  ]);
  return {
    loss,
    options: Object.fromEntries(options),
    temperature: temperatureAt('T', state.temperature),
    label:
      label === 'none' ? UNLABELED : labels.includes(label!) ? labels.indexOf(label!) : state.label,
    alpha: numberAt('alpha', RANGES.alpha, state.alpha),
    teacher: logitsAt('teacher', state.teacher),
    student: logitsAt('student', state.student),
    left: lossAt('left', state.left),
    right: lossAt('right', state.right),
    descentTemperature: temperatureAt('descentT', state.descentTemperature),
    mean: numberAt('mean', RANGES.mean, state.mean),
    width: numberAt('width', RANGES.width, state.width),
  };
}

/** A number with two decimals, if the text is one, brought into the range. */
function within(
  text: string | null,
  [least, largest]: readonly [number, number],
): number | undefined {
  const value = text?.trim() ? Number(text) : Number.NaN;
  if (!Number.isFinite(value)) return undefined;
  return Number(rounded(Math.min(largest, Math.max(least, value))));
}
