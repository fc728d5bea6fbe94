import type { asset } from "@pulumi/pulumi";
import { WebsocketRelay } from "../../components";
import { record } from "../support/recorder";

/** What is uploaded of a function. */
export interface Deployed {
  name: string;
  /** What its archive holds. */
  files: Record<string, string>;
  variables: Record<string, string>;
}

export const oidc = { issuer: "https://issuer.relay.dev", audience: "relay-audience" };

/** Every function of a relay in retry mode, of one in replay mode, and of one with receipts. */
export async function deployedFunctions(): Promise<Deployed[]> {
  const auth = { oidc, endSessionWithToken: true };
  const { registrations, errors } = await record(() => [
    new WebsocketRelay("relay", { auth }),
    new WebsocketRelay("replay", { auth, delivery: "replay", httpRead: true }),
    new WebsocketRelay("receipts", { auth, delivery: "replay", receipts: true }),
  ]);
  if (errors.length > 0) throw new AggregateError(errors, "the relay could not be registered");
  const functions = registrations.filter(({ type }) => type === "aws:lambda/function:Function");
  return Promise.all(
    functions.map(async ({ name, inputs }) => {
      const { assets } = inputs.code as { assets: Promise<Record<string, asset.StringAsset>> };
      const { variables } = inputs.environment as { variables: Record<string, string> };
      const texts = Object.entries(await assets).map(async ([file, { text }]) => [file, await text] as const);
      return { name, variables, files: Object.fromEntries(await Promise.all(texts)) };
    }),
  );
}
