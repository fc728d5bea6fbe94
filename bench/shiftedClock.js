// Loaded into a function's process before its code: its clock is CLOCK_SHIFT_MS ahead.
const shiftMs = Number(process.env.CLOCK_SHIFT_MS);
const SystemDate = Date;

globalThis.Date = class extends SystemDate {
  constructor(...values) {
    if (values.length === 0) super(SystemDate.now() + shiftMs);
    else super(...values);
  }

  static now() {
    return SystemDate.now() + shiftMs;
  }
};

// The runtime gets each invocation's deadline by the system's clock.
process.prependListener("message", ({ context }) => {
  if (context) context.deadlineMs += shiftMs;
});
