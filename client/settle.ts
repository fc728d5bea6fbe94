/**
 * Continues with the result of `run`: at once if it is not a promise, so that a synchronous callback causes no delay and nothing
 * else runs in between.
 */
export function settle<T>(
  run: () => T | PromiseLike<T>,
  done: (value: T) => void,
  failed: (error: unknown) => void,
): void {
  let value;
  try {
    value = run();
  } catch (error) {
    failed(error);
    return;
  }
  if (isPromise(value)) value.then(done, failed);
  else done(value);
}

export function isPromise<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === "function";
}
