// Exports of the binary of the response loss. compile.ts adds the instances of both number formats.

import { labelRowsOf } from './distributions/labels';
import { Forward, rowsOf } from './distributions/rows';
import { closeRow, openRow } from './distributions/softmax';
import { sumsOf } from './distributions/sums';
import { readTailsOf, spreadTailsOf } from './distributions/tails';

export function forward<T>(call: usize, workspace: usize, first: i32, count: i32): void {
  rowsOf<Forward, T>(0, call, workspace, first, count);
}

export function label<T>(call: usize, workspace: usize, first: i32, count: i32): void {
  labelRowsOf<T>(call, workspace, first, count);
}

export function readTail<T>(call: usize, workspace: usize, first: i32, count: i32): void {
  readTailsOf<T>(call, workspace, first, count);
}

export function spreadTail<T>(call: usize, workspace: usize, first: i32, count: i32): void {
  spreadTailsOf<T>(call, workspace, first, count);
}

export function sum<T>(call: usize, workspace: usize, first: i32, count: i32): void {
  sumsOf<T>(call, workspace, first, count);
}

export { closeRow, openRow };
