// Exports of the binary of the response loss.

import { closeRow, openRow } from './distributions/halves';
import { labelRowsOf } from './distributions/labels';
import { Forward, rowsOf } from './distributions/rows';
import { sumsOf } from './distributions/sums';
import { readTailsOf, spreadTailsOf } from './distributions/tails';

export function forward32(call: usize, workspace: usize, first: i32, count: i32): void {
  rowsOf<Forward, f32>(0, call, workspace, first, count);
}

export function forward64(call: usize, workspace: usize, first: i32, count: i32): void {
  rowsOf<Forward, f64>(0, call, workspace, first, count);
}

export function label32(call: usize, workspace: usize, first: i32, count: i32): void {
  labelRowsOf<f32>(call, workspace, first, count);
}

export function label64(call: usize, workspace: usize, first: i32, count: i32): void {
  labelRowsOf<f64>(call, workspace, first, count);
}

export function readTail32(call: usize, workspace: usize, first: i32, count: i32): void {
  readTailsOf<f32>(call, workspace, first, count);
}

export function readTail64(call: usize, workspace: usize, first: i32, count: i32): void {
  readTailsOf<f64>(call, workspace, first, count);
}

export function spreadTail32(call: usize, workspace: usize, first: i32, count: i32): void {
  spreadTailsOf<f32>(call, workspace, first, count);
}

export function spreadTail64(call: usize, workspace: usize, first: i32, count: i32): void {
  spreadTailsOf<f64>(call, workspace, first, count);
}

export function sum32(call: usize, workspace: usize, first: i32, count: i32): void {
  sumsOf<f32>(call, workspace, first, count);
}

export function sum64(call: usize, workspace: usize, first: i32, count: i32): void {
  sumsOf<f64>(call, workspace, first, count);
}

export { closeRow, openRow };
