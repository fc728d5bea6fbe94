/** How the gateway and the event source mappings call a function. */
export interface Invoker {
  /**
   * Invokes `functionArn` synchronously and resolves with what the caller of the Invoke API would see.
   * A `caller` is checked against the function's resource policy (`lambda:AddPermission`): rejects with
   * `AccessDeniedError` where no permission allows it. Pollers have no caller: they use the function's own role.
   *
   * `signal` is given by a caller that may stop waiting: an invocation that has not begun when it aborts never begins, and
   * is rejected with the signal's reason. Such invocations are throttled (`ThrottledError`) where too many wait already.
   */
  invoke(
    functionArn: string,
    event: unknown,
    caller?: { principal: string; sourceArn: string },
    signal?: AbortSignal,
  ): Promise<Invocation>;
}

export type Invocation =
  | { functionError?: undefined; payload: unknown }
  /** The handler threw, timed out, or its process died. */
  | { functionError: "Unhandled"; payload: { errorType: string; errorMessage: string } };

/** https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html */
export class ThrottledError extends Error {
  override readonly name = "TooManyRequestsException";
}

export class AccessDeniedError extends Error {
  override readonly name = "AccessDeniedError";
}
