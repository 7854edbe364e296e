const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/**
 * Has a process that is asked to end say how far it came. Returns a function that takes this back.
 */
export function whenStopped(say: () => string): () => void {
  const stop = () => {
    console.log(say());
    process.exit(130);
  };
  // Before others: one of them may end the process without a word.
  for (const signal of SIGNALS) process.prependOnceListener(signal, stop);
  return () => {
    for (const signal of SIGNALS) process.off(signal, stop);
  };
}
