/**
 * Writes the indices of the k largest values in descending order, where k is the length of
 * `indices`. Equal values are ordered by ascending index.
 */
export function largestIndices(values: Float64Array, indices: Int32Array): void {
  const k = indices.length;
  const isAfter = (a: number, b: number): boolean =>
    values[a]! < values[b]! || (values[a] === values[b] && a > b);
  // A heap whose root is the smallest of the k values: a larger value replaces it.
  const sink = (index: number, from: number, size: number): void => {
    let place = from;
    for (let child = 2 * place + 1; child < size; child = 2 * place + 1) {
      if (child + 1 < size && isAfter(indices[child + 1]!, indices[child]!)) child++;
      if (!isAfter(indices[child]!, index)) break;
      indices[place] = indices[child]!;
      place = child;
    }
    indices[place] = index;
  };
  for (let j = 0; j < k; j++) indices[j] = j;
  for (let place = (k >> 1) - 1; place >= 0; place--) sink(indices[place]!, place, k);
  for (let j = k; j < values.length; j++) {
    if (values[j]! > values[indices[0]!]!) sink(j, 0, k);
  }
  for (let size = k - 1; size > 0; size--) {
    const last = indices[size]!;
    indices[size] = indices[0]!;
    sink(last, 0, size);
  }
}
