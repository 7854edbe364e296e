// The kernels, for numbers of four bytes and of eight.

import { placeExp } from './exp';
import { placeResponse, response } from './response';
import { placeShortRows, responseOfShortRows } from './shortRows';

/** Readies the kernels to work in the memory from `start` on, on rows of up to so many bytes; returns where it ends. */
export function place(start: usize, bytes: usize): usize {
  return placeResponse(placeShortRows(placeExp(start)), bytes);
}

/** Where free memory starts. */
export function heap(): usize {
  return __heap_base;
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
