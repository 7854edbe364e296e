/** Returns the first name of which `key` is a likely misspelling. */
export function nearestName(names: readonly string[], key: string): string | undefined {
  return names.find((name) => isMisspelt(name, key));
}

/**
 * Whether two names differ by at most one edit, case aside: one letter missing, added, replaced, or
 * swapped with the next letter.
 */
function isMisspelt(name: string, key: string): boolean {
  const [a, b] = [name.toLowerCase(), key.toLowerCase()];
  let start = 0;
  while (start < a.length && a[start] === b[start]) start++;
  const [restOfA, restOfB] = [a.slice(start), b.slice(start)];
  const isSwapped =
    restOfA[0] === restOfB[1] && restOfA[1] === restOfB[0] && restOfA.slice(2) === restOfB.slice(2);
  return (
    restOfA === restOfB ||
    isSwapped ||
    restOfA.slice(1) === restOfB ||
    restOfA === restOfB.slice(1) ||
    restOfA.slice(1) === restOfB.slice(1)
  );
}
