/** Returns softmax(logits / temperature). */
export function soften(logits: Float32Array, temperature = 1): Float32Array {
  const largest = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp((logit - largest) / temperature));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}
