// The laws throw and catch thousands of errors per second. Vitest keeps 100 stack frames of each,
// which takes longer than the calls that throw.
Error.stackTraceLimit = 10;
