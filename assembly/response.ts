// Exports of the binary of the response loss.

import { rowsOf } from './distributions/rows';
import { ForwardKL } from './distributions/terms';

export function forward32(call: usize, workspace: usize, first: i32, count: i32): void {
  rowsOf<ForwardKL, f32>(call, workspace, first, count);
}

export function forward64(call: usize, workspace: usize, first: i32, count: i32): void {
  rowsOf<ForwardKL, f64>(call, workspace, first, count);
}
