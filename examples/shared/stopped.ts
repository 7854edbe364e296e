const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/**
 * Prints the message of `say` when the process is asked to end. Returns a function that removes
 * this handler.
 */
export function whenStopped(say: () => string): () => void {
  const stop = () => {
    console.log(say());
    process.exit(130);
  };
  // The handler has to run before other handlers, which may end the process without a message.
  for (const signal of SIGNALS) process.prependOnceListener(signal, stop);
  return () => {
    for (const signal of SIGNALS) process.off(signal, stop);
  };
}
