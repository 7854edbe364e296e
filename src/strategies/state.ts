import { checkMatrixFinite } from '../call/diagnosis.js';
import type { IDistillationStrategy } from '../call/options.js';
import type { Parameter } from '../call/parameter.js';
import type { DistillationStrategyBase } from '../call/strategy.js';
import { checkShape } from '../core/checks.js';
import { checkOptions, refuse, throwShape, throwType } from '../core/errors.js';
import { type MatrixJSON, readJSON } from '../core/json.js';
import { checkMatrix, type Matrix } from '../core/matrix.js';
import type { FloatArray } from '../core/numeric.js';
import type { ContrastiveMemory } from '../layers/contrastiveMemory.js';
import type { LogNormalizers } from '../layers/memoryState.js';
import { isHybrid, nameOf } from './hybrid/nested.js';
import { checkStrategy } from './hybrid/weights.js';

/** State that a strategy has learned, as plain data for `JSON.stringify`. */
export interface StrategyState {
  /** The parameters, in the order of `parameters()`; a shared parameter is listed once. */
  readonly parameters: readonly {
    /**
     * Names of the entries that lead to the parameter from the outermost hybrid, then its own name.
     */
    readonly name: string;
    readonly value: MatrixJSON;
  }[];
  /** The contrastive memories; a shared memory is listed once. */
  readonly memories: readonly {
    readonly name: string;
    readonly student: MatrixJSON;
    readonly teacher: MatrixJSON;
    readonly negatives: number;
    readonly momentum: number;
    readonly generator: number;
    readonly logNormalizers?: LogNormalizers | undefined;
  }[];
}

const MEMORY_KEYS = [
  'name',
  'student',
  'teacher',
  'negatives',
  'momentum',
  'generator',
  'logNormalizers',
];

/**
 * Copies the learned state of a strategy into plain data: the values of its parameters, and the
 * vectors, the generator and Z of its {@link ContrastiveMemory}. Use it for checkpoints.
 *
 * The state of a hybrid is that of all its strategies, nested hybrids included. A strategy of your
 * own is saved if it has a method `parameters`; a memory of your own is not saved.
 *
 * Save between two steps: gradients and the selection of a memory are not saved. Options,
 * temperatures, alphas and the state of your optimiser are not saved either.
 *
 * @param strategy - any strategy
 * @returns the state, for `JSON.stringify` and `structuredClone`; {@link loadState} reads it
 * @throws {DistillationError} `NOT_FINITE` for a parameter or a vector that is not finite, as after
 *   a training that diverged
 * @throws {TypeError} for a value that is no strategy
 *
 * @remarks Cost: one copy, as JavaScript numbers; about 20 characters of JSON for each float32.
 *
 * @example
 * ```ts
 * import {
 *   FeatureDistillationStrategy,
 *   LinearProjection,
 *   loadState,
 *   saveState,
 * } from 'knowledge-distillation';
 *
 * const create = (seed: number) =>
 *   new FeatureDistillationStrategy({ projection: new LinearProjection(2, 3, { seed }) });
 * const text = JSON.stringify(saveState(create(1)));
 * const strategy = create(2); // in a later run
 * loadState(strategy, JSON.parse(text));
 * console.log(JSON.stringify(saveState(strategy)) === text); // true
 * ```
 */
export function saveState<T extends FloatArray>(strategy: IDistillationStrategy<T>): StrategyState {
  const operation = 'saveState';
  const { parameters, memories } = learnedBy(operation, strategy);
  const toJSON = (name: string, matrix: Matrix<T>): MatrixJSON => {
    checkMatrix(operation, name, matrix);
    checkMatrixFinite(operation, name, matrix);
    return matrix.toJSON();
  };
  return {
    parameters: Array.from(parameters, ([{ value }, name]) => ({
      name,
      value: toJSON(name, value),
    })),
    memories: Array.from(memories, ([memory, name]) => ({
      name,
      student: toJSON(`${name}.student`, memory.student),
      teacher: toJSON(`${name}.teacher`, memory.teacher),
      ...memory.numbers(),
    })),
  };
}

/**
 * Writes a state that {@link saveState} returned into a strategy that was made in the same way.
 * Training then continues with the same bits as without the interruption.
 *
 * The whole state is checked first. After an error, the strategy is unchanged.
 *
 * @param strategy - a strategy with the same parameters and memories, in the same order, with the
 *   same names, shapes and number formats
 * @param state - the state, after `JSON.parse`
 * @throws {DistillationError} `SHAPE_MISMATCH`, `DTYPE_MISMATCH`; `NOT_FINITE` for a value;
 *   `OUT_OF_RANGE` for another name, and for options of a memory that differ; `UNKNOWN_OPTION` for
 *   another key
 * @throws {TypeError} for a value that is no strategy, and for a part of the state of another type
 *
 * @example
 * ```ts
 * import {
 *   loadState,
 *   Matrix,
 *   saveState,
 *   VariationalDistillationStrategy,
 * } from 'knowledge-distillation';
 *
 * const strategy = new VariationalDistillationStrategy({ channels: 2 });
 * const before = saveState(strategy);
 * strategy.parameters()[0]!.value.data.fill(0); // steps that led nowhere
 * loadState(strategy, before);
 * console.log(JSON.stringify(saveState(strategy)) === JSON.stringify(before)); // true
 * ```
 */
export function loadState<T extends FloatArray>(
  strategy: IDistillationStrategy<T>,
  state: unknown,
): void {
  const operation = 'loadState';
  const { parameters, memories } = learnedBy(operation, strategy);
  if (typeof state === 'string') {
    throwType(operation, 'state', 'be an object', state, 'use JSON.parse(state)');
  }
  checkOptions(operation, 'state', state, ['parameters', 'memories']);
  const saved = state as StrategyState; // each part is checked below
  const writes: (() => void)[] = [];
  const addMatrix = (place: string, json: MatrixJSON, target: Matrix<T>): void => {
    checkMatrix(operation, `the strategy's ${place}`, target);
    const content = readJSON(operation, place, json, target.numeric);
    checkShape(operation, place, content, [target.rows, target.columns], "the strategy's");
    checkMatrixFinite(operation, place, content);
    writes.push(() => target.data.set(content.data));
  };
  const pairs = pair(operation, 'state.parameters', saved.parameters, parameters);
  for (const { entry, place, target } of pairs) {
    checkOptions(operation, place, entry, ['name', 'value']);
    addMatrix(`${place}.value`, entry.value, target.value);
  }
  const memoryPairs = pair(operation, 'state.memories', saved.memories, memories);
  for (const { entry, place, target } of memoryPairs) {
    checkOptions(operation, place, entry, MEMORY_KEYS);
    addMatrix(`${place}.student`, entry.student, target.student);
    addMatrix(`${place}.teacher`, entry.teacher, target.teacher);
    writes.push(target.numbersWriter(operation, `${place}.`, entry));
  }
  for (const write of writes) write();
}

/**
 * The parameters and memories of a strategy with their names, in an order that depends only on how
 * the strategy was made.
 */
interface Learned<T extends FloatArray> {
  readonly parameters: Map<Pick<Parameter<T>, 'name' | 'value'>, string>;
  readonly memories: Map<ContrastiveMemory<T>, string>;
}

function learnedBy<T extends FloatArray>(
  operation: string,
  strategy: IDistillationStrategy<T>,
): Learned<T> {
  checkStrategy(operation, 'strategy', strategy);
  const learned: Learned<T> = { parameters: new Map(), memories: new Map() };
  addLearned(strategy, '', learned);
  return learned;
}

/**
 * Adds the parameters and memories of a strategy to `learned`.
 *
 * @param path - names of the entries from the outermost hybrid to the strategy
 */
function addLearned<T extends FloatArray>(
  strategy: IDistillationStrategy<T>,
  path: string,
  learned: Learned<T>,
): void {
  const entries = isHybrid(strategy) ? strategy.getStrategies() : [];
  for (const entry of entries) addLearned(entry.strategy, `${path}${nameOf(entry)} → `, learned);
  const add = <K>(names: Map<K, string>, key: K, name: string): void => {
    if (!names.has(key)) names.set(key, `${path}${name}`); // the first name of a shared one stays
  };
  for (const parameter of parametersOf(strategy)) {
    add(learned.parameters, parameter, parameter.name);
  }
  const memory = memoryOf(strategy);
  if (memory) add(learned.memories, memory, 'memory');
}

/** Returns the parameters of a strategy, by structure: a bare strategy may have parameters, too. */
function parametersOf<T extends FloatArray>(
  strategy: IDistillationStrategy<T>,
): readonly Pick<Parameter<T>, 'name' | 'value'>[] {
  const { parameters } = strategy as Partial<DistillationStrategyBase<T>>;
  return typeof parameters === 'function' ? parameters.call(strategy) : [];
}

/**
 * Returns the memory of a strategy, by structure, so that a bundle without a contrastive strategy
 * does not contain the class of the memory.
 */
function memoryOf<T extends FloatArray>(
  strategy: IDistillationStrategy<T>,
): ContrastiveMemory<T> | undefined {
  const { memory } = strategy as { readonly memory?: ContrastiveMemory<T> };
  return typeof memory?.numbersWriter === 'function' ? memory : undefined;
}

/**
 * Pairs the parts of a state with their targets in the strategy; throws unless the names are the
 * same.
 */
function pair<Entry extends { readonly name: string }, Target>(
  operation: string,
  argument: string,
  entries: readonly Entry[],
  targets: ReadonlyMap<Target, string>,
): { entry: Entry; place: string; target: Target }[] {
  if (!Array.isArray(entries)) throwType(operation, argument, 'be an array', entries);
  const { length } = entries;
  if (length !== targets.size) {
    const names = [...targets.values()].join(', ') || 'nothing';
    throwShape(operation, argument, [length], [targets.size], `the strategy has ${names}`);
  }
  return Array.from(targets, ([target, name], i) => {
    const place = `${argument}[${i}]`;
    const entry: Entry = entries[i];
    checkName(operation, `${place}.name`, entry?.name, name);
    return { entry, place, target };
  });
}

function checkName(operation: string, argument: string, given: unknown, name: string): void {
  if (given === name) return;
  const expected = `be '${name}'`;
  if (typeof given !== 'string') throwType(operation, argument, expected, given);
  const hint = 'names are part of the state: make the strategy with the same names and order';
  refuse('OUT_OF_RANGE', operation, argument, expected, `'${given}'`, { hint });
}
