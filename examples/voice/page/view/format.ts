/** Formats a number of bytes with two or three digits. */
export function formatBytes(bytes: number): string {
  return bytes < 1e6 ? `${Math.round(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** Formats milliseconds with two digits. */
export function formatMilliseconds(milliseconds: number): string {
  return `${milliseconds.toPrecision(2)} ms`;
}
