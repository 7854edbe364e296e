// Exports of the binary of rows of numbers.

import { binaryOf } from './numbers/binary';
import {
  Absolute, ActivationBoundary, differencesOf, Huber, MarginReLU, Squared,
} from './numbers/differences';
import { ABSOLUTE, COSINE, directionsOf, PATIENT, SQUARED } from './numbers/directions';

export function squared32(call: usize, workspace: usize, first: i32, count: i32): void {
  differencesOf<Squared, f32>(call, workspace, first, count);
}

export function squared64(call: usize, workspace: usize, first: i32, count: i32): void {
  differencesOf<Squared, f64>(call, workspace, first, count);
}

export function absolute32(call: usize, workspace: usize, first: i32, count: i32): void {
  differencesOf<Absolute, f32>(call, workspace, first, count);
}

export function absolute64(call: usize, workspace: usize, first: i32, count: i32): void {
  differencesOf<Absolute, f64>(call, workspace, first, count);
}

export function huber32(call: usize, workspace: usize, first: i32, count: i32): void {
  differencesOf<Huber, f32>(call, workspace, first, count);
}

export function huber64(call: usize, workspace: usize, first: i32, count: i32): void {
  differencesOf<Huber, f64>(call, workspace, first, count);
}

export function activationBoundary32(call: usize, workspace: usize, first: i32, count: i32): void {
  differencesOf<ActivationBoundary, f32>(call, workspace, first, count);
}

export function activationBoundary64(call: usize, workspace: usize, first: i32, count: i32): void {
  differencesOf<ActivationBoundary, f64>(call, workspace, first, count);
}

export function marginReLU32(call: usize, workspace: usize, first: i32, count: i32): void {
  differencesOf<MarginReLU, f32>(call, workspace, first, count);
}

export function marginReLU64(call: usize, workspace: usize, first: i32, count: i32): void {
  differencesOf<MarginReLU, f64>(call, workspace, first, count);
}

export function cosine32(call: usize, workspace: usize, first: i32, count: i32): void {
  directionsOf<f32>(COSINE, call, workspace, first, count);
}

export function cosine64(call: usize, workspace: usize, first: i32, count: i32): void {
  directionsOf<f64>(COSINE, call, workspace, first, count);
}

export function patient32(call: usize, workspace: usize, first: i32, count: i32): void {
  directionsOf<f32>(PATIENT, call, workspace, first, count);
}

export function patient64(call: usize, workspace: usize, first: i32, count: i32): void {
  directionsOf<f64>(PATIENT, call, workspace, first, count);
}

export function attentionTransfer32(call: usize, workspace: usize, first: i32, count: i32): void {
  directionsOf<f32>(SQUARED, call, workspace, first, count);
}

export function attentionTransfer64(call: usize, workspace: usize, first: i32, count: i32): void {
  directionsOf<f64>(SQUARED, call, workspace, first, count);
}

export function factorTransfer32(call: usize, workspace: usize, first: i32, count: i32): void {
  directionsOf<f32>(ABSOLUTE, call, workspace, first, count);
}

export function factorTransfer64(call: usize, workspace: usize, first: i32, count: i32): void {
  directionsOf<f64>(ABSOLUTE, call, workspace, first, count);
}

export function binary32(call: usize, workspace: usize, first: i32, count: i32): void {
  binaryOf<f32>(call, workspace, first, count);
}

export function binary64(call: usize, workspace: usize, first: i32, count: i32): void {
  binaryOf<f64>(call, workspace, first, count);
}
