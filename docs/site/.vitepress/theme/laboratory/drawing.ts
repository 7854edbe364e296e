// Numbers and curves as the page writes and draws them.

/** A probability in percent, without the sign: neither 0 nor certainty is claimed. */
export function percent(probability: number): string {
  if (probability < 0.01) return '<1';
  if (probability > 0.99) return '>99';
  return String(Math.round(100 * probability));
}

/** A number of three digits, or of two decimals if it is small. */
export function short(value: number): string {
  if (Math.abs(value) >= 1e4) return value.toExponential(1).replace('-', '−');
  const digits = Math.abs(value) < 100 ? 2 : 0;
  return signed(value.toFixed(digits));
}

/** A number with its sign, also above 0. */
export function withSign(value: number): string {
  const text = short(value);
  return /[1-9]/.test(text) ? (value > 0 ? `+${text}` : text) : text.replace('−', '');
}

function signed(text: string): string {
  return Number(text) === 0 ? text.replace('-', '') : text.replace('-', '−');
}

/** A polyline through the values, as the `points` of an SVG of that size; 0 is at the bottom. */
export function curve(
  values: readonly number[],
  [least, largest]: readonly [number, number],
  width: number,
  height: number,
): string {
  const last = values.length - 1;
  const share = (value: number) => (value - least) / (largest - least || 1);
  return values
    .map(
      (value, i) =>
        `${((i / last) * width).toFixed(1)},${(height * (1 - share(value))).toFixed(1)}`,
    )
    .join(' ');
}
