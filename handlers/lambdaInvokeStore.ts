// Replaces `@aws/lambda-invoke-store` in the bundles. The SDK sends the invocation's trace ID with its requests: from the store that
// Lambda's runtime keeps, if it keeps one, else from the environment. The package would create a store that stays empty, and
// is 2 kB of a bundle.
export const InvokeStore = {
  getInstanceAsync: (): Promise<unknown> =>
    Promise.resolve((globalThis as { awslambda?: { InvokeStore?: unknown } }).awslambda?.InvokeStore),
};
