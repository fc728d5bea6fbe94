// Mocha makes it infinite. Pulumi takes a stack for each promise, which would be most of a program's time.
Error.stackTraceLimit = 30;

// Interrupted, it still runs the listeners of "exit", which end what the tests have started.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
