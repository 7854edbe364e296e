import { checkMatrixFinite } from '../call/diagnosis.js';
import type { IDistillationStrategy } from '../call/options.js';
import type { Parameter } from '../call/parameter.js';
import type { DistillationStrategyBase } from '../call/strategy.js';
import { checkShape } from '../core/checks.js';
import { checkChoice, checkOptions, throwShape, throwType } from '../core/errors.js';
import { type MatrixJSON, readJSON } from '../core/json.js';
import { checkMatrix, type Matrix } from '../core/matrix.js';
import type { FloatArray } from '../core/numeric.js';
import type { ContrastiveMemory, LogNormalizers } from '../layers/contrastiveMemory.js';
import { isHybrid, nameOf } from './hybrid/nested.js';
import { checkStrategy } from './hybrid/weights.js';

/** What a strategy learned, as plain data for `JSON.stringify`. */
export interface StrategyState {
  /** The parameters, in the order of `parameters()`; one that is shared stands here once. */
  readonly parameters: readonly {
    /** The names of the entries of hybrids that lead to the parameter, and its own. */
    readonly name: string;
    readonly value: MatrixJSON;
  }[];
  /** The contrastive memories; one that is shared stands here once. */
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
 * Copies what a strategy learned into plain data: the values of its parameters, and the vectors,
 * the generator and Z of its {@link ContrastiveMemory}. Use it for checkpoints.
 *
 * Of a hybrid, all strategies are saved, those of nested hybrids too. A strategy of your own is
 * saved if it has a method `parameters`; a memory of your own is not.
 *
 * Save between two steps: gradients and the selection of a memory are not saved. Neither is what
 * you set yourself: options, temperatures, alphas, and the state of your optimiser.
 *
 * @param strategy - any strategy
 * @returns the state, for `JSON.stringify` and `structuredClone`; {@link loadState} reads it
 * @throws {DistillationError} NOT_FINITE for a parameter or a vector that is not finite: the
 * training has diverged
 * @throws {TypeError} for what is no strategy
 *
 * @remarks Cost: one copy, as JavaScript numbers; about 20 characters of JSON for each float32.
 *
 * @example
 * import { FeatureDistillationStrategy, LinearProjection, loadState, saveState } from 'knowledge-distillation';
 *
 * const create = (seed: number) =>
 *   new FeatureDistillationStrategy({ projection: new LinearProjection(2, 3, { seed }) });
 * const text = JSON.stringify(saveState(create(1)));
 * const strategy = create(2); // in a later run
 * loadState(strategy, JSON.parse(text));
 * console.log(JSON.stringify(saveState(strategy)) === text); // true
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
 * Writes a state that {@link saveState} returned into a strategy that was made in the same way. The
 * training then goes on with the same bits as without the interruption.
 *
 * The whole state is checked first. After an error, the strategy is as it was.
 *
 * @param strategy - a strategy with the same parameters and memories, in the same order, with the
 *   same names, shapes and number formats
 * @param state - the state, after `JSON.parse`
 * @throws {DistillationError} SHAPE_MISMATCH, DTYPE_MISMATCH, NOT_FINITE for a value, OUT_OF_RANGE
 * for another name and for options of a memory that differ, UNKNOWN_OPTION for another key
 * @throws {TypeError} for what is no strategy, and for a part of the state of another type
 *
 * @example
 * import { loadState, Matrix, saveState, VariationalDistillationStrategy } from 'knowledge-distillation';
 *
 * const strategy = new VariationalDistillationStrategy({ channels: 2 });
 * const before = saveState(strategy);
 * strategy.parameters()[0]!.value.data.fill(0); // steps that led nowhere
 * loadState(strategy, before);
 */
export function loadState<T extends FloatArray>(
  strategy: IDistillationStrategy<T>,
  state: unknown,
): void {
  const operation = 'loadState';
  const { parameters, memories } = learnedBy(operation, strategy);
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

/** What a strategy learns, each with its name, in an order that follows from how it was made. */
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

/** @param path - leads from the outermost hybrid to the strategy */
function addLearned<T extends FloatArray>(
  strategy: IDistillationStrategy<T>,
  path: string,
  learned: Learned<T>,
): void {
  const entries = isHybrid(strategy) ? strategy.getStrategies() : [];
  for (const entry of entries) addLearned(entry.strategy, `${path}${nameOf(entry)} → `, learned);
  const add = <K>(names: Map<K, string>, key: K, name: string): void => {
    if (!names.has(key)) names.set(key, `${path}${name}`); // shared: named where it stands first
  };
  for (const parameter of parametersOf(strategy)) {
    add(learned.parameters, parameter, parameter.name);
  }
  const memory = memoryOf(strategy);
  if (memory) add(learned.memories, memory, 'memory');
}

/** By structure: a bare strategy may have parameters too. */
function parametersOf<T extends FloatArray>(
  strategy: IDistillationStrategy<T>,
): readonly Pick<Parameter<T>, 'name' | 'value'>[] {
  const { parameters } = strategy as Partial<DistillationStrategyBase<T>>;
  return typeof parameters === 'function' ? parameters.call(strategy) : [];
}

/** By structure, so that strategies without a memory do not bring its class. */
function memoryOf<T extends FloatArray>(
  strategy: IDistillationStrategy<T>,
): ContrastiveMemory<T> | undefined {
  const { memory } = strategy as { readonly memory?: ContrastiveMemory<T> };
  return typeof memory?.numbersWriter === 'function' ? memory : undefined;
}

/**
 * Pairs the parts of a state with what they are written to; throws unless the names are the same.
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
    checkChoice(operation, `${place}.name`, entry?.name, [name]);
    return { entry, place, target };
  });
}
