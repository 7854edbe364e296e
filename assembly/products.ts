// Exports of the binary of products.

import { moderate } from './products/moderate';
import { packColumns, packRows, product } from './products/product';

export function moderate64(pointer: usize, bytes: usize): bool {
  return moderate<f64>(pointer, bytes);
}

export function product32(
  a: usize,
  b: usize,
  c: usize,
  rows: i32,
  inner: i32,
  columns: i32,
  isGram: bool,
): void {
  product<f32>(a, b, c, rows, inner, columns, isGram);
}

export function product64(
  a: usize,
  b: usize,
  c: usize,
  rows: i32,
  inner: i32,
  columns: i32,
  isGram: bool,
): void {
  product<f64>(a, b, c, rows, inner, columns, isGram);
}

export function packRows32(source: usize, target: usize, lines: i32, inner: i32): void {
  packRows<f32>(source, target, lines, inner);
}

export function packRows64(source: usize, target: usize, lines: i32, inner: i32): void {
  packRows<f64>(source, target, lines, inner);
}

export function packColumns32(source: usize, target: usize, lines: i32, inner: i32): void {
  packColumns<f32>(source, target, lines, inner);
}

export function packColumns64(source: usize, target: usize, lines: i32, inner: i32): void {
  packColumns<f64>(source, target, lines, inner);
}
