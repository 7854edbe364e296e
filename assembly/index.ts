// The kernels, for numbers of four bytes and of eight.

import { placeExp } from './exp';
import { response } from './response';
import { placeRow } from './row';
import { moderate } from './moderate';
import { packColumns, packRows, product } from './product';
import { placeShortRows, responseOfShortRows } from './shortRows';
import { readTail, writeTail } from './tail';

/** Readies the kernels to work in the memory from `start` on, on rows of up to so many bytes; returns where it ends. */
export function place(start: usize, bytes: usize): usize {
  return placeRow(placeShortRows(placeExp(start)), bytes);
}

export function response32(
  student: usize,
  teacher: usize,
  gradient: usize,
  labels: usize,
  losses: usize,
  rows: i32,
  bytes: usize,
  temperature: f64,
  temperatureFactor: f64,
  alpha: f64,
  outer: f64,
): void {
  response<f32>(
    student, teacher, gradient, labels, losses, rows, bytes, temperature, temperatureFactor, alpha, outer,
  );
}

export function shortRows32(
  student: usize,
  teacher: usize,
  gradient: usize,
  labels: usize,
  losses: usize,
  rows: i32,
  columns: i32,
  temperature: f64,
  temperatureFactor: f64,
  alpha: f64,
  outer: f64,
): void {
  responseOfShortRows<f32>(
    student, teacher, gradient, labels, losses, rows, columns, temperature, temperatureFactor, alpha, outer,
  );
}

export function response64(
  student: usize,
  teacher: usize,
  gradient: usize,
  labels: usize,
  losses: usize,
  rows: i32,
  bytes: usize,
  temperature: f64,
  temperatureFactor: f64,
  alpha: f64,
  outer: f64,
): void {
  response<f64>(
    student, teacher, gradient, labels, losses, rows, bytes, temperature, temperatureFactor, alpha, outer,
  );
}

export function shortRows64(
  student: usize,
  teacher: usize,
  gradient: usize,
  labels: usize,
  losses: usize,
  rows: i32,
  columns: i32,
  temperature: f64,
  temperatureFactor: f64,
  alpha: f64,
  outer: f64,
): void {
  responseOfShortRows<f64>(
    student, teacher, gradient, labels, losses, rows, columns, temperature, temperatureFactor, alpha, outer,
  );
}

export function readTail32(row: usize, bytes: usize, temperature: f64): f64 {
  return readTail<f32>(row, bytes, temperature);
}

export function writeTail32(output: usize, factor: f64): void {
  writeTail<f32>(output, factor);
}

export function readTail64(row: usize, bytes: usize, temperature: f64): f64 {
  return readTail<f64>(row, bytes, temperature);
}

export function writeTail64(output: usize, factor: f64): void {
  writeTail<f64>(output, factor);
}

export function moderate32(pointer: usize, bytes: usize): bool {
  return moderate<f32>(pointer, bytes);
}

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
