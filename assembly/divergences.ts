// Exports of the binary of the other losses of distributions.

import { correlateColumnsOf } from './distributions/columns';
import { rowsOf } from './distributions/rows';
import {
  Correlation, Decoupled, JensenShannon, ReverseKL, SkewKL, SkewReverseKL, TotalVariation,
} from './distributions/terms';

export function reverse32(call: usize, workspace: usize, first: i32, count: i32): void {
  rowsOf<ReverseKL, f32>(call, workspace, first, count);
}

export function reverse64(call: usize, workspace: usize, first: i32, count: i32): void {
  rowsOf<ReverseKL, f64>(call, workspace, first, count);
}

export function skew32(call: usize, workspace: usize, first: i32, count: i32): void {
  rowsOf<SkewKL, f32>(call, workspace, first, count);
}

export function skew64(call: usize, workspace: usize, first: i32, count: i32): void {
  rowsOf<SkewKL, f64>(call, workspace, first, count);
}

export function skewReverse32(call: usize, workspace: usize, first: i32, count: i32): void {
  rowsOf<SkewReverseKL, f32>(call, workspace, first, count);
}

export function skewReverse64(call: usize, workspace: usize, first: i32, count: i32): void {
  rowsOf<SkewReverseKL, f64>(call, workspace, first, count);
}

export function jensenShannon32(call: usize, workspace: usize, first: i32, count: i32): void {
  rowsOf<JensenShannon, f32>(call, workspace, first, count);
}

export function jensenShannon64(call: usize, workspace: usize, first: i32, count: i32): void {
  rowsOf<JensenShannon, f64>(call, workspace, first, count);
}

export function totalVariation32(call: usize, workspace: usize, first: i32, count: i32): void {
  rowsOf<TotalVariation, f32>(call, workspace, first, count);
}

export function totalVariation64(call: usize, workspace: usize, first: i32, count: i32): void {
  rowsOf<TotalVariation, f64>(call, workspace, first, count);
}

export function correlation32(call: usize, workspace: usize, first: i32, count: i32): void {
  rowsOf<Correlation, f32>(call, workspace, first, count);
}

export function correlation64(call: usize, workspace: usize, first: i32, count: i32): void {
  rowsOf<Correlation, f64>(call, workspace, first, count);
}

export function decoupled32(call: usize, workspace: usize, first: i32, count: i32): void {
  rowsOf<Decoupled, f32>(call, workspace, first, count);
}

export function decoupled64(call: usize, workspace: usize, first: i32, count: i32): void {
  rowsOf<Decoupled, f64>(call, workspace, first, count);
}

export function correlateColumns32(call: usize, workspace: usize, first: i32, count: i32): void {
  correlateColumnsOf<f32>(call, workspace, first, count);
}

export function correlateColumns64(call: usize, workspace: usize, first: i32, count: i32): void {
  correlateColumnsOf<f64>(call, workspace, first, count);
}
