// Exports of the binary of losses of rows of numbers. compile.ts adds the instances of both number
// formats.

import { binaryOf } from './numbers/binary';
import {
  Absolute, ActivationBoundary, differencesOf, Huber, MarginReLU, Norm, Squared,
} from './numbers/differences';
import { ABSOLUTE, COSINE, directionsOf, PATIENT, SQUARED } from './numbers/directions';
import { marginsOf } from './numbers/margins';
import { rankingOf } from './numbers/ranking';

export function squared<T>(call: usize, workspace: usize, first: i32, count: i32): void {
  differencesOf<Squared, T>(call, workspace, first, count);
}

export function norm<T>(call: usize, workspace: usize, first: i32, count: i32): void {
  differencesOf<Norm, T>(call, workspace, first, count);
}

export function absolute<T>(call: usize, workspace: usize, first: i32, count: i32): void {
  differencesOf<Absolute, T>(call, workspace, first, count);
}

export function huber<T>(call: usize, workspace: usize, first: i32, count: i32): void {
  differencesOf<Huber, T>(call, workspace, first, count);
}

export function activationBoundary<T>(call: usize, workspace: usize, first: i32, count: i32): void {
  differencesOf<ActivationBoundary, T>(call, workspace, first, count);
}

export function marginReLU<T>(call: usize, workspace: usize, first: i32, count: i32): void {
  differencesOf<MarginReLU, T>(call, workspace, first, count);
}

export function cosine<T>(call: usize, workspace: usize, first: i32, count: i32): void {
  directionsOf<T>(COSINE, call, workspace, first, count);
}

export function patient<T>(call: usize, workspace: usize, first: i32, count: i32): void {
  directionsOf<T>(PATIENT, call, workspace, first, count);
}

export function squaredDirections<T>(call: usize, workspace: usize, first: i32, count: i32): void {
  directionsOf<T>(SQUARED, call, workspace, first, count);
}

export function absoluteDirections<T>(call: usize, workspace: usize, first: i32, count: i32): void {
  directionsOf<T>(ABSOLUTE, call, workspace, first, count);
}

export function margins<T>(call: usize, workspace: usize, first: i32, count: i32): void {
  marginsOf<T>(call, workspace, first, count);
}

export function logisticRanking<T>(call: usize, workspace: usize, first: i32, count: i32): void {
  rankingOf<T>(false, call, workspace, first, count);
}

export function hingeRanking<T>(call: usize, workspace: usize, first: i32, count: i32): void {
  rankingOf<T>(true, call, workspace, first, count);
}

export function binary<T>(call: usize, workspace: usize, first: i32, count: i32): void {
  binaryOf<T>(call, workspace, first, count);
}

