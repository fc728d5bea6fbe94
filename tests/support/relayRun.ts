import type * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { WebsocketRelay, type WebsocketRelayArgs } from "../../components";
import { type ResolvedArgs, resolveArgs } from "../../components/args/args";
import { runOf } from "../../testing/runUnderMocks";
import { record, type Registration } from "./recorder";

export const auth = { oidc: { issuer: "https://issuer.relay.dev", audience: "relay" } };

export interface Statement {
  Effect: string;
  Action: string[];
  Resource: string[];
  Condition?: object;
}

/** What a program registered. */
export interface Run {
  registrations: Registration[];
  /** The inputs of the one resource of that type and name. */
  inputs(type: string, name: string): Record<string, unknown>;
  /** A function's environment. */
  variables(name: string): Record<string, string>;
  /** The statements of a role's inline policy. */
  statements(name: string): Statement[];
  /** The names of the resources that each waits for besides its inputs. */
  dependencies: Record<string, string[]>;
  /** The names of the resources that Pulumi protects. */
  guarded: string[];
}

export interface RelayRun extends Run {
  relay: WebsocketRelay;
}

type Options = Parameters<typeof record>[1];

/** `new WebsocketRelay("relay", { auth, ...args })`, recorded; fails where the program does. */
export async function runRelay(
  args: Partial<WebsocketRelayArgs> = {},
  { use, ...options }: Options & { use?: (relay: WebsocketRelay) => unknown } = {},
): Promise<RelayRun> {
  let relay!: WebsocketRelay;
  const run = await runPart(
    (_, opts) => {
      relay = new WebsocketRelay("relay", { auth, ...args }, opts);
      use?.(relay);
    },
    args,
    options,
  );
  return { ...run, relay };
}

/** A part of the relay alone, recorded: without the functions, whose bundling takes seconds. */
export async function runPart(
  program: (args: ResolvedArgs, opts: pulumi.ComponentResourceOptions) => unknown,
  args: Partial<WebsocketRelayArgs> = {},
  options: Options = {},
): Promise<Run> {
  const dependencies: Record<string, string[]> = {};
  const guarded: string[] = [];
  /** Options do not reach mocks; transformations of a component are called for each of its children. */
  const recordOptions: pulumi.ResourceTransformation = ({ name, opts }) => {
    const named = opts.dependsOn as { __name: string }[] | undefined;
    if (named) dependencies[name] = named.map(({ __name }) => __name).sort();
    if (opts.protect) guarded.push(name);
    return undefined;
  };
  const { registrations, errors } = await record(
    () => program(resolveArgs({ auth, ...args }), { transformations: [recordOptions] }),
    options,
  );
  expect(errors).to.deep.equal([]);

  const { inputs } = runOf(undefined, registrations);
  return {
    registrations,
    inputs,
    variables: (name) =>
      (inputs("aws:lambda/function:Function", name).environment as { variables: Record<string, string> }).variables,
    statements: (name) =>
      (JSON.parse(inputs("aws:iam/rolePolicy:RolePolicy", name).policy as string) as { Statement: Statement[] })
        .Statement,
    dependencies,
    guarded: guarded.sort(),
  };
}

/** The names of what was registered, by type. */
export function byType(registrations: Registration[]): Record<string, string[]> {
  const types: Record<string, string[]> = {};
  for (const { type, name } of registrations) {
    types[type] = [...(types[type] ?? []), name].sort();
  }
  return types;
}
