/** A resource as a program registers it. */
export interface Registered {
  type: string;
  name: string;
  inputs: Record<string, unknown>;
}

/** The settings of a stage's default route, and of each other one. */
export function routeSettingsOf({ inputs }: Registered): Record<string, unknown>[] {
  return [inputs.defaultRouteSettings, ...((inputs.routeSettings ?? []) as unknown[])] as Record<string, unknown>[];
}

/** Whether a stage is an HTTP API's, which has neither execution logs nor data tracing. Only HTTP APIs have a stage `$default`. */
export function isOfHttpApi({ inputs }: Registered): boolean {
  return inputs.name === "$default";
}

interface Statement {
  Effect: string;
  Principal?: string | Record<string, string | string[]>;
  Action: string | string[];
  Resource: string | string[];
  Condition?: Record<string, Record<string, string | string[]>>;
}

function statementsOf({ inputs }: Registered): Statement[] {
  return (JSON.parse(inputs.policy as string) as { Statement: Statement[] }).Statement;
}

/** What the policy of a resource allows. */
export function allowed(resource: Registered): { actions: string[]; resources: string[] }[] {
  return statementsOf(resource)
    .filter(({ Effect }) => Effect === "Allow")
    .map(({ Action, Resource }) => ({ actions: [Action].flat(), resources: [Resource].flat() }));
}

/** Condition keys that bind a statement to fixed accounts, organizations or resources, in lower case. */
const bindingKeys = ["aws:sourceowner", "aws:sourceaccount", "aws:sourcearn", "aws:principalorgid"];

/** Whether each statement of a policy that allows something names whom, or is bound to a fixed account, organization or resource. */
export function isNotPublic(resource: Registered): boolean {
  return statementsOf(resource)
    .filter(({ Effect }) => Effect === "Allow")
    .every(({ Principal, Condition = {} }) => {
      const binding = Object.entries(Condition).flatMap(([operator, keys]) =>
        Object.entries(keys).filter(
          ([key, value]) =>
            /^(String|Arn)Equals$/.test(operator) &&
            bindingKeys.includes(key.toLowerCase()) &&
            [value].flat().every((one) => one !== "" && !one.includes("*")),
        ),
      );
      const named = isEveryone(Principal) ? [] : [(Principal as Record<string, string | string[]>).AWS ?? []].flat();
      return binding.length > 0 || named.length > 0;
    });
}

function isEveryone(principal: Statement["Principal"]): boolean {
  return principal === "*" || (typeof principal === "object" && [principal.AWS ?? []].flat().includes("*"));
}

/** Whether the policy of a queue or topic, which is found by the name in its URL or ARN, denies each call without TLS. */
export function deniesWithoutTls({ type, name }: Registered, all: readonly Registered[]): boolean {
  const isTopic = type === "aws:sns/topic:Topic";
  const policy = all.find(({ type: policyType, inputs }) =>
    isTopic
      ? policyType === "aws:sns/topicPolicy:TopicPolicy" && String(inputs.arn).endsWith(`:${name}`)
      : policyType === "aws:sqs/queuePolicy:QueuePolicy" && String(inputs.queueUrl).endsWith(`/${name}`),
  );
  if (policy === undefined) return false;
  const denied = statementsOf(policy)
    .filter(({ Effect, Principal }) => Effect === "Deny" && isEveryone(Principal))
    .filter(({ Condition }) => Condition?.Bool?.["aws:SecureTransport"] === "false")
    .flatMap(({ Action }) => Action)
    .map((action) => action.toLowerCase());
  // A topic's policy takes no wildcard, so what it allows is denied by name.
  const actions = isTopic ? allowed(policy).flatMap((statement) => statement.actions) : ["sqs:*"];
  return actions.every((action) => denied.includes(action.toLowerCase()));
}

export function isText(value: unknown): boolean {
  return typeof value === "string" && value !== "";
}
