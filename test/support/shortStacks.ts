// The laws throw and catch thousands of errors a second. Vitest keeps 100 frames of the stack of
// each, which takes longer than the calls that throw.
Error.stackTraceLimit = 10;
