// Runs a kernel on all threads of an arena.

import type { ArenaMemory } from './arenas.js';
import { selectedKernel } from './choice.js';
import { exportName, type Kernel, type RowsKernel } from './instance.js';
import { CALL } from './layout.js';
import type { Share } from './threads.js';

/**
 * What is computed, and where: rows, or columns of a product, of the call that is described in the
 * memory.
 */
export interface Work {
  readonly kernel: Kernel;
  /** Bytes of a number. */
  readonly size: number;
  readonly run: RowsKernel;
  /**
   * The workspace of the main thread. Behind it there is as much room for each of the other
   * threads.
   */
  readonly workspace: number;
  readonly workspaceBytes: number;
  readonly count: number;
  /** Whether it is worth waking threads for. */
  readonly isLarge: boolean;
}

/** Runs the kernel; in equal shares on all threads where there are some and it is worth while. */
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
  // A thread that failed is as none: all is computed again.
  if (!threads.run({ ...kernel, name: exportName(kernel.name, size) }, CALL, shares, own))
    run(CALL, workspace, 0, count);
}
