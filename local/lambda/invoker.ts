/** How the gateway and the event source mappings call a function. */
export interface Invoker {
  /**
   * Invokes `functionArn` synchronously and resolves with what the caller of the Invoke API would see.
   * A `caller` is checked against the function's resource policy (`lambda:AddPermission`): rejects with
   * `AccessDeniedError` where no permission allows it. Pollers have no caller: they use the function's own role.
   */
  invoke(functionArn: string, event: unknown, caller?: { principal: string; sourceArn: string }): Promise<Invocation>;
}

export type Invocation =
  | { functionError?: undefined; payload: unknown }
  /** The handler threw, timed out, or its process died. */
  | { functionError: "Unhandled"; payload: { errorType: string; errorMessage: string } };

export class AccessDeniedError extends Error {
  override readonly name = "AccessDeniedError";
}
