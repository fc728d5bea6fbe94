import { AccessDeniedError, type Invoker, ThrottledError } from "../lambda/invoker";
import { functionArnOf, type IntegrationInputs } from "./inputs";
import { limits } from "./limits";

/** What a function behind `AWS_PROXY` must answer with. */
export interface ProxyAnswer {
  statusCode: number;
  body?: string;
  headers?: Readonly<Record<string, unknown>>;
}

/** The integration gave no answer that could be passed on. The client sees the status, the log sees why. */
export class IntegrationError extends Error {
  override readonly name = "IntegrationError";

  constructor(
    readonly status: 500 | 504,
    why: string,
  ) {
    super(why);
  }

  /** What AWS puts into the body. */
  get publicMessage(): string {
    return this.status === 504 ? "Endpoint request timed out" : "Internal server error";
  }
}

/** Invokes the function behind an `AWS_PROXY` integration; rejects with `IntegrationError`. For `gone` see `Invoker`. */
export async function invokeProxy(
  invoker: Invoker,
  integration: IntegrationInputs,
  event: unknown,
  sourceArn: string,
  gone?: AbortSignal,
): Promise<ProxyAnswer> {
  const timeoutMs = integration.timeoutMilliseconds ?? limits.integrationTimeoutMs;
  const payload = await invokeFunction({ invoker, integration, event, sourceArn, timeoutMs }, gone);
  return proxyAnswer(integration, payload);
}

export interface FunctionCall {
  invoker: Invoker;
  integration: IntegrationInputs;
  event: unknown;
  sourceArn: string;
  timeoutMs: number;
}

/** What the function behind an `AWS_PROXY` integration answers; rejects with `IntegrationError`, also if it failed. */
export async function invokeFunction(
  { invoker, integration, event, sourceArn, timeoutMs }: FunctionCall,
  gone?: AbortSignal,
): Promise<unknown> {
  const functionArn = functionArnOf(integration.integrationUri) as string;
  const caller = { principal: "apigateway.amazonaws.com", sourceArn };
  let timer: NodeJS.Timeout | undefined;
  try {
    const invocation = await Promise.race([
      invoker.invoke(functionArn, event, caller, gone),
      new Promise<never>((_, reject) => {
        const timedOut = new IntegrationError(504, `${functionArn} has not answered within ${timeoutMs} ms`);
        // Not a reason for a process to stay.
        timer = setTimeout(reject, timeoutMs, timedOut).unref();
      }),
    ]);
    const { functionError, payload } = invocation;
    if (functionError) {
      throw new IntegrationError(500, `${functionArn} failed: ${payload.errorType}: ${payload.errorMessage}`);
    }
    return payload;
  } catch (error) {
    if (error instanceof IntegrationError || error === gone?.reason) throw error;
    const message = error instanceof Error ? error.message : String(error);
    if (error instanceof ThrottledError) throw new IntegrationError(500, `${functionArn} is throttled: ${message}`);
    if (error instanceof AccessDeniedError) {
      throw new IntegrationError(500, `${caller.principal} may not invoke ${functionArn} for ${sourceArn}: ${message}`);
    }
    throw new IntegrationError(500, `${functionArn} cannot be invoked: ${message}`);
  } finally {
    clearTimeout(timer);
  }
}

function proxyAnswer({ integrationUri }: IntegrationInputs, payload: unknown): ProxyAnswer {
  const { statusCode, body, headers } = (payload ?? {}) as Record<string, unknown>;
  if (!isStatus(statusCode) || !(body == null || typeof body === "string")) {
    const functionArn = functionArnOf(integrationUri) as string;
    throw new IntegrationError(500, `${functionArn} answered without an integer statusCode, or with a body of no text`);
  }
  return {
    statusCode,
    body: body ?? undefined,
    headers: typeof headers === "object" && headers !== null ? { ...headers } : undefined,
  };
}

export function isStatus(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 200 && (value as number) <= 599;
}
