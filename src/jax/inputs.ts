import { throwType } from '../core/errors.js';
import { Inputs } from '../tensors/inputs.js';
import { checkType, isTensor } from '../tensors/tensor.js';
import type { JaxArray } from './jax.js';

/** The arrays of jax-js that one call reads. */
export class JaxInputs extends Inputs<JaxArray> {
  /** Reads the arrays. `data` consumes a reference, so a new reference is taken for it. */
  async readAll(): Promise<void> {
    await this.read((array) => array.ref.data());
  }

  protected override check(argument: string, array: JaxArray, dtypes: readonly string[]): void {
    if (isTensor(array) && !('refCount' in array)) {
      throwType(this.operation, argument, 'be an array of jax-js', array);
    }
    checkType(this.operation, argument, array, dtypes, this.cast(argument, dtypes[0]!));
  }

  protected override cast(argument: string, dtype: string): string {
    return `${argument}.astype(np.${dtype})`;
  }
}
