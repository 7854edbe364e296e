// Where a call on rows is computed: in place where all is in one arena, else on copies.

import { type ArenaMemory, arenaInstance, arenaOf } from './arenas.js';
import { selectedInstance } from './choice.js';
import { align, type Instance, type RowsKernel } from './instance.js';
import { FIRST_ADDRESS, MOST_ROWS } from './layout.js';
import { parametersBehind, type RowsCall, sizeOf, widestOf, workspaceOf } from './rowsCall.js';
import type { Target } from './target.js';

/** Rows are copied in and out in pieces of about this many bytes, which stay in the cache. */
const PIECE = 65536;

/**
 * Where a call is computed: the addresses of the first row in the memory, and how many rows fit.
 */
export interface Stage {
  readonly instance: Instance;
  readonly run: RowsKernel;
  /** The arena, where the matrices are read and written in place. */
  readonly arena: ArenaMemory | undefined;
  readonly most: number;
  readonly student: number;
  readonly teacher: number;
  readonly gradient: number;
  readonly distributions: number;
  readonly kept: number;
  readonly parameters: number;
  readonly perColumn: number;
}

/** The stage of a call; `undefined` where JavaScript has to compute. */
export function stageOf(call: RowsCall, target: Target | undefined): Stage | undefined {
  return inArena(call, target) ?? onCopies(call, target);
}

/** The stage of a call whose matrices are all in the memory of one arena. */
function inArena(call: RowsCall, target: Target | undefined): Stage | undefined {
  const { student, teacher = student, distributions, kept, perColumn } = call;
  // Kept classes and numbers of columns have no place in the arena, and doubles have none for
  // numbers of another format.
  if (kept || perColumn || sizeOf(call) !== student.BYTES_PER_ELEMENT) return undefined;
  const arrays = [student, teacher];
  if (distributions) arrays.push(distributions);
  if (target) arrays.push(target.data);
  const arena = arenaOf(arrays);
  const instance = arena && arenaInstance(arena, workspaceOf(call));
  const run = instance?.rowsKernel(call.kernel, sizeOf(call));
  if (!instance || !run) return undefined;
  return {
    instance,
    run,
    arena,
    most: MOST_ROWS,
    student: student.byteOffset,
    teacher: teacher.byteOffset,
    gradient: target?.data.byteOffset ?? 0,
    distributions: distributions?.byteOffset ?? 0,
    kept: 0,
    parameters: call.parameters ? parametersBehind(instance.workspace, call) : 0,
    perColumn: 0,
  };
}

/** The stage of a call whose rows are copied in and out, a piece at a time. */
function onCopies(call: RowsCall, target: Target | undefined): Stage | undefined {
  const { distributions, rows, kept, perColumn } = call;
  const instance = selectedInstance();
  const run = instance?.rowsKernel(call.kernel, sizeOf(call));
  if (!instance || !run) return undefined;
  const longest = widestOf(call);
  const most = Math.min(rows, Math.max(1, Math.floor(PIECE / longest)), MOST_ROWS);
  const side = align(most * longest);
  const start = align(FIRST_ADDRESS + workspaceOf(call));
  const end = start + 4 * side;
  const behind = align(end + (kept ? 4 * most * kept.count : 0));
  if (!instance.reach(behind + (perColumn?.byteLength ?? 0))) return undefined;
  return {
    instance,
    run,
    arena: undefined,
    most,
    student: start,
    teacher: call.teacher ? start + side : start,
    gradient: target ? start + 2 * side : 0,
    distributions: distributions ? start + 3 * side : 0,
    kept: end,
    parameters: call.parameters ? parametersBehind(instance.workspace, call) : 0,
    perColumn: perColumn ? behind : 0,
  };
}
