import type { asset } from "@pulumi/pulumi";
import { WebsocketRelay, type WebsocketRelayArgs } from "../components";
import { record } from "../tests/support/recorder";

export type Mode = "retry" | "replay";

/** The functions of a relay in each mode. */
export const LAMBDAS = {
  retry: ["connect", "disconnect", "deliver"],
  replay: ["connect", "disconnect", "deliver", "resume", "acknowledge", "expire"],
} as const;
export type Lambda<M extends Mode = Mode> = (typeof LAMBDAS)[M][number];

export interface Deployed {
  /** The content of `index.js` in the uploaded archive. */
  text: string;
  /** The function's environment; values that AWS computes are invented. */
  variables: Record<string, string>;
  /** What Lambda logs by itself. @default INFO */
  systemLogLevel?: string;
}

/** The functions as `new WebsocketRelay(…)` registers them. */
export async function deployedFunctions<M extends Mode>(
  mode: M,
  given: Partial<WebsocketRelayArgs> = {},
): Promise<Record<Lambda<M>, Deployed>> {
  const auth = { oidc: { issuer: "https://issuer.relay.dev", audience: "relay" } };
  const args: WebsocketRelayArgs = { auth, ...(mode === "replay" && { delivery: "replay" }), ...given };
  const { registrations, errors } = await record(() => new WebsocketRelay("relay", args));
  if (errors.length > 0) throw new AggregateError(errors, "the component could not be registered");

  const deployed = async (lambda: string): Promise<Deployed> => {
    const found = registrations.find(
      ({ type, name }) => type === "aws:lambda/function:Function" && name === `relay-${lambda}`,
    );
    if (!found) throw new Error(`relay-${lambda} was not registered`);
    const { code, environment, loggingConfig } = found.inputs as {
      code: { assets: Promise<Record<string, asset.StringAsset>> };
      environment: { variables: Record<string, string> };
      loggingConfig?: { systemLogLevel?: string };
    };
    const files = await code.assets;
    if (Object.keys(files).join() !== "index.js")
      throw new Error(`${lambda} is more than index.js: ${Object.keys(files)}`);
    const text = await (files["index.js"] as asset.StringAsset).text;
    return { text, variables: environment.variables, systemLogLevel: loggingConfig?.systemLogLevel };
  };
  const functions: Record<string, Deployed> = {};
  for (const lambda of LAMBDAS[mode]) functions[lambda] = await deployed(lambda);
  return functions as Record<Lambda<M>, Deployed>;
}

/** The variables that Lambda sets besides a function's own; the credentials are invented. */
export const lambdaVariables: Record<string, string> = {
  AWS_REGION: "eu-west-1",
  AWS_ACCESS_KEY_ID: "bench",
  AWS_SECRET_ACCESS_KEY: "bench",
  // Suppresses a warning of the SDK about Node 20, which Lambda does not run.
  AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
};
