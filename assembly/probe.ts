// The smallest binary that needs what the others need of an engine.

import { madd } from './shared/lanes';

export function probe(address: usize): void {
  v128.store(address, madd<f64>(v128.load(address), v128.load(address), v128.load(address)));
}
