// Exports of the binary of the other losses of distributions.

import { correlateColumnsOf } from './distributions/columns';
import {
  CORRELATION, DECOUPLED, JENSEN_SHANNON, Others, REVERSE, rowsOf, SKEW, SKEW_REVERSE, TOTAL_VARIATION,
} from './distributions/rows';

export function reverse32(call: usize, workspace: usize, first: i32, count: i32): void {
  rowsOf<Others, f32>(REVERSE, call, workspace, first, count);
}

export function reverse64(call: usize, workspace: usize, first: i32, count: i32): void {
  rowsOf<Others, f64>(REVERSE, call, workspace, first, count);
}

export function skew32(call: usize, workspace: usize, first: i32, count: i32): void {
  rowsOf<Others, f32>(SKEW, call, workspace, first, count);
}

export function skew64(call: usize, workspace: usize, first: i32, count: i32): void {
  rowsOf<Others, f64>(SKEW, call, workspace, first, count);
}

export function skewReverse32(call: usize, workspace: usize, first: i32, count: i32): void {
  rowsOf<Others, f32>(SKEW_REVERSE, call, workspace, first, count);
}

export function skewReverse64(call: usize, workspace: usize, first: i32, count: i32): void {
  rowsOf<Others, f64>(SKEW_REVERSE, call, workspace, first, count);
}

export function jensenShannon32(call: usize, workspace: usize, first: i32, count: i32): void {
  rowsOf<Others, f32>(JENSEN_SHANNON, call, workspace, first, count);
}

export function jensenShannon64(call: usize, workspace: usize, first: i32, count: i32): void {
  rowsOf<Others, f64>(JENSEN_SHANNON, call, workspace, first, count);
}

export function totalVariation32(call: usize, workspace: usize, first: i32, count: i32): void {
  rowsOf<Others, f32>(TOTAL_VARIATION, call, workspace, first, count);
}

export function totalVariation64(call: usize, workspace: usize, first: i32, count: i32): void {
  rowsOf<Others, f64>(TOTAL_VARIATION, call, workspace, first, count);
}

export function correlation32(call: usize, workspace: usize, first: i32, count: i32): void {
  rowsOf<Others, f32>(CORRELATION, call, workspace, first, count);
}

export function correlation64(call: usize, workspace: usize, first: i32, count: i32): void {
  rowsOf<Others, f64>(CORRELATION, call, workspace, first, count);
}

export function decoupled32(call: usize, workspace: usize, first: i32, count: i32): void {
  rowsOf<Others, f32>(DECOUPLED, call, workspace, first, count);
}

export function decoupled64(call: usize, workspace: usize, first: i32, count: i32): void {
  rowsOf<Others, f64>(DECOUPLED, call, workspace, first, count);
}

export function correlateColumns32(call: usize, workspace: usize, first: i32, count: i32): void {
  correlateColumnsOf<f32>(call, workspace, first, count);
}

export function correlateColumns64(call: usize, workspace: usize, first: i32, count: i32): void {
  correlateColumnsOf<f64>(call, workspace, first, count);
}
