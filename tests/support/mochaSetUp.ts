import { isExpected } from "./refusal";

// Mocha's default is infinite. Pulumi captures a stack for each promise, which would take most of a program's time.
Error.stackTraceLimit = 30;

// An interrupt still runs the listeners of "exit", which end the processes that the tests have started. tests/run.ts forwards
// a Ctrl-C that mocha already has from the terminal.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(1));

// Mocha ignores a rejection that nothing handles: its listener removes itself and emits the event again, and while it exists,
// Node does not throw. An error thrown here reaches mocha as an uncaught exception. It fails the test that is running, or the one
// that has just ended. Tests with their own listener, and errors that a test expects, are left alone.
process.on("unhandledRejection", (reason) => {
  if (process.listenerCount("unhandledRejection") === 1 && !isExpected(reason)) throw reason;
});
