// Mocha's default is infinite. Pulumi captures a stack for each promise, which would take most of a program's time.
Error.stackTraceLimit = 30;

// An interrupt still runs the listeners of "exit", which end the processes that the tests have started. tests/run.ts forwards
// a Ctrl-C that mocha already has from the terminal.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(1));
