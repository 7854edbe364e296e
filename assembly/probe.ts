// The smallest binary that needs the same features of an engine as the others.

import { madd } from './shared/lanes';

export function probe(address: usize): void {
  v128.store(address, madd<f64>(v128.load(address), v128.load(address), v128.load(address)));
}
