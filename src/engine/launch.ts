// Runs a kernel on the threads of an arena.

import type { ArenaMemory } from './arenas.js';
import { selectedKernel } from './choice.js';
import { exportName, type Kernel, type RowsKernel } from './instance.js';
import { CALL } from './layout.js';
import type { Share } from './threads.js';

/**
 * Work of a kernel on the call that is described in the memory: rows, or columns of a product.
 */
export interface Work {
  readonly kernel: Kernel;
  /** Bytes of a number. */
  readonly size: number;
  readonly run: RowsKernel;
  /**
   * Address of the workspace of the calling thread. The workspaces of the other threads follow it.
   */
  readonly workspace: number;
  /** Bytes of the workspace of one thread. */
  readonly workspaceBytes: number;
  /** Number of rows or columns. */
  readonly count: number;
  /** Whether the work takes longer than waking threads. */
  readonly isLarge: boolean;
}

/**
 * Runs the kernel, in equal shares on all threads if the arena has threads and the work is large.
 */
export function launch(arena: ArenaMemory | undefined, work: Work): void {
  const { kernel, size, run, workspace, workspaceBytes, count, isLarge } = work;
  const threads = arena?.threads;
  const parts = 1 + (threads?.count ?? 0);
  if (!threads || !isLarge || count < parts || threads.kernel !== selectedKernel()) {
    run(CALL, workspace, 0, count);
    return;
  }
  const bounds = Array.from({ length: parts + 1 }, (_, i) => Math.round((i * count) / parts));
  const shares = Array.from({ length: threads.count }, (_, i): Share => {
    const first = bounds[i + 1]!;
    return {
      workspace: workspace + (i + 1) * workspaceBytes,
      first,
      count: bounds[i + 2]! - first,
    };
  });
  const own = () => run(CALL, workspace, 0, bounds[1]!);
  // If a thread failed, the calling thread computes everything again.
  if (!threads.run({ ...kernel, name: exportName(kernel.name, size) }, CALL, shares, own))
    run(CALL, workspace, 0, count);
}
