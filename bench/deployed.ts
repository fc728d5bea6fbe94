import type { asset } from "@pulumi/pulumi";
import { WebsocketRelay } from "../components";
import { record } from "../tests/components/recorder";

/** The functions of a relay, by what triggers them. */
export const LAMBDAS = ["connect", "disconnect", "deliver"] as const;
export type Lambda = (typeof LAMBDAS)[number];

export interface Deployed {
  /** What `index.js` of the uploaded archive holds. */
  text: string;
  /** The function's environment; whatever AWS would compute is made up. */
  variables: Record<string, string>;
}

/** What `new WebsocketRelay(…)` registers for its functions: nothing of it is repeated here. */
export async function deployedFunctions(): Promise<Record<Lambda, Deployed>> {
  const auth = { oidc: { issuer: "https://issuer.relay.dev", audience: "relay" } };
  const { registrations, errors } = await record(() => new WebsocketRelay("relay", { auth }));
  if (errors.length > 0) throw new AggregateError(errors, "the component could not be registered");

  const deployed = async (lambda: Lambda): Promise<Deployed> => {
    const found = registrations.find(
      ({ type, name }) => type === "aws:lambda/function:Function" && name === `relay-${lambda}`,
    );
    if (!found) throw new Error(`relay-${lambda} was not registered`);
    const { code, environment } = found.inputs as {
      code: { assets: Promise<Record<string, asset.StringAsset>> };
      environment: { variables: Record<string, string> };
    };
    const files = await code.assets;
    if (Object.keys(files).join() !== "index.js")
      throw new Error(`${lambda} is more than index.js: ${Object.keys(files)}`);
    return { text: await (files["index.js"] as asset.StringAsset).text, variables: environment.variables };
  };
  return {
    connect: await deployed("connect"),
    disconnect: await deployed("disconnect"),
    deliver: await deployed("deliver"),
  };
}

/** What Lambda sets beside a function's own variables; the credentials are nobody's. */
export const lambdaVariables: Record<string, string> = {
  AWS_REGION: "eu-west-1",
  AWS_ACCESS_KEY_ID: "bench",
  AWS_SECRET_ACCESS_KEY: "bench",
  // A warning of the SDK about Node 20, which is not what Lambda runs.
  AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
};
