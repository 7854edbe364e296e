// Exports of the binary of products.

import { putProduct } from './products/inPlace';
import { areFinite } from './products/finite';
import { packColumns as packColumnsOf, packRows as packRowsOf, product as productOf } from './products/product';
import { addRow, differ, dots, scaled, subtractRow } from './products/rows';

export function moderate64(pointer: usize, bytes: usize): bool {
  return areFinite<f64>(pointer, bytes);
}

export function product<T>(call: usize): void {
  productOf<T>(call);
}

export function packRows<T>(source: usize, stride: usize, target: usize, lines: i32, steps: i32): void {
  packRowsOf<T>(source, stride, target, lines, steps);
}

export function packColumns<T>(source: usize, stride: usize, target: usize, lines: i32, steps: i32): void {
  packColumnsOf<T>(source, stride, target, lines, steps);
}

export function dots32(x: usize, y: usize, target: usize, lines: i32, bytes: usize): void {
  dots(x, y, target, lines, bytes);
}

export function scaledTo32(pointer: usize, end: usize, scale: f64): void {
  scaled(pointer, end, scale);
}

export function addRow32(sums: usize, end: usize, row: usize, factor: f64): void {
  addRow(sums, end, row, factor);
}

export function subtractRow32(rows: usize, row: usize, lines: i32, bytes: usize): void {
  subtractRow(rows, row, lines, bytes);
}

export function differ32(x: usize, y: usize, sums: usize, lines: i32, bytes: usize, subtrahends: usize): void {
  differ(x, y, sums, lines, bytes, subtrahends);
}

export function putProduct32(call: usize, workspace: usize, first: i32, count: i32): void {
  putProduct(call, workspace, first, count);
}
