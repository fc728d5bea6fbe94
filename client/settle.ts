/**
 * Goes on with what `run` gives: at once where that is no promise, so that a callback that needs no time costs none, and
 * nothing happens in between.
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
