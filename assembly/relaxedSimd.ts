// Before Node 22, relaxed SIMD needs a flag. This file sets it, so that every kernel is tested on
// every version.
import { setFlagsFromString } from 'node:v8';

if (Number(process.versions.node.split('.')[0]) < 22) {
  setFlagsFromString('--experimental-wasm-relaxed-simd');
}
