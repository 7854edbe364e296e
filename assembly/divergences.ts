// Exports of the binary of all divergences but KL(p ‖ q). compile.ts adds the instances of both
// number formats.

import { correlateColumnsOf } from './distributions/columns';
import {
  ALPHA_BETA, CORRELATION, DECOUPLED, JENSEN_SHANNON, Others, REVERSE, rowsOf, SKEW, SKEW_REVERSE, TOTAL_VARIATION,
} from './distributions/rows';

export function reverse<T>(call: usize, workspace: usize, first: i32, count: i32): void {
  rowsOf<Others, T>(REVERSE, call, workspace, first, count);
}

export function skew<T>(call: usize, workspace: usize, first: i32, count: i32): void {
  rowsOf<Others, T>(SKEW, call, workspace, first, count);
}

export function skewReverse<T>(call: usize, workspace: usize, first: i32, count: i32): void {
  rowsOf<Others, T>(SKEW_REVERSE, call, workspace, first, count);
}

export function jensenShannon<T>(call: usize, workspace: usize, first: i32, count: i32): void {
  rowsOf<Others, T>(JENSEN_SHANNON, call, workspace, first, count);
}

export function totalVariation<T>(call: usize, workspace: usize, first: i32, count: i32): void {
  rowsOf<Others, T>(TOTAL_VARIATION, call, workspace, first, count);
}

export function correlation<T>(call: usize, workspace: usize, first: i32, count: i32): void {
  rowsOf<Others, T>(CORRELATION, call, workspace, first, count);
}

export function decoupled<T>(call: usize, workspace: usize, first: i32, count: i32): void {
  rowsOf<Others, T>(DECOUPLED, call, workspace, first, count);
}

export function alphaBeta<T>(call: usize, workspace: usize, first: i32, count: i32): void {
  rowsOf<Others, T>(ALPHA_BETA, call, workspace, first, count);
}

export function correlateColumns<T>(call: usize, workspace: usize, first: i32, count: i32): void {
  correlateColumnsOf<T>(call, workspace, first, count);
}

