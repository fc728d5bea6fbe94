import { isExpected } from "./refusal";

// Mocha's default is infinite. Pulumi captures a stack for each promise, which would take most of a program's time.
Error.stackTraceLimit = 30;

// An interrupt still runs the listeners of "exit", which end the processes that the tests have started. tests/run.ts forwards
// a Ctrl-C that mocha already has from the terminal.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(1));

// Mocha takes no notice of a rejection that nothing handles: its listener removes itself and emits the event again, and because
// it is there, Node does not throw. What is thrown here reaches mocha as an uncaught exception, and fails the test that runs,
// or the one that has just ended. It is not thrown where a test has a listener of its own, or has expected the same error.
process.on("unhandledRejection", (reason) => {
  if (process.listenerCount("unhandledRejection") === 1 && !isExpected(reason)) throw reason;
});
