/** The places of the largest values, as many as `indices` has room for, the largest first; of equal ones the first. */
export function largestIndices(values: Float64Array, indices: Int32Array): void {
  const k = indices.length;
  let count = 0;
  for (let j = 0; j < values.length; j++) {
    const value = values[j]!;
    if (count === k && !(value > values[indices[k - 1]!]!)) continue;
    let place = count < k ? count++ : k - 1;
    while (place > 0 && value > values[indices[place - 1]!]!) {
      indices[place] = indices[place - 1]!;
      place--;
    }
    indices[place] = j;
  }
}
