import * as pulumi from "@pulumi/pulumi";

export interface Registration {
  type: string;
  name: string;
  inputs: Record<string, unknown>;
}

/** What the AWS provider computes, for the types that the component is expected to register. */
const computed: Record<string, (name: string) => Record<string, unknown>> = {
  "aws:apigateway/account:Account": () => ({}),
  "aws:apigatewayv2/api:Api": () => ({
    apiEndpoint: "wss://api123.execute-api.eu-west-1.amazonaws.com",
    executionArn: "arn:aws:execute-api:eu-west-1:111122223333:api123",
  }),
  "aws:apigatewayv2/apiMapping:ApiMapping": () => ({}),
  "aws:apigatewayv2/deployment:Deployment": () => ({}),
  "aws:apigatewayv2/domainName:DomainName": () => ({
    domainNameConfiguration: {
      targetDomainName: "d-abc123.execute-api.eu-west-1.amazonaws.com",
      hostedZoneId: "ZLY8HYME6SFDD",
    },
  }),
  "aws:apigatewayv2/integration:Integration": () => ({}),
  "aws:apigatewayv2/integrationResponse:IntegrationResponse": () => ({}),
  "aws:apigatewayv2/route:Route": () => ({}),
  "aws:apigatewayv2/routeResponse:RouteResponse": () => ({}),
  "aws:apigatewayv2/stage:Stage": () => ({
    invokeUrl: "wss://api123.execute-api.eu-west-1.amazonaws.com/live",
  }),
  "aws:cloudwatch/dashboard:Dashboard": () => ({}),
  "aws:cloudwatch/eventRule:EventRule": (name) => ({
    name,
    arn: `arn:aws:events:eu-west-1:111122223333:rule/${name}`,
  }),
  "aws:cloudwatch/eventTarget:EventTarget": () => ({}),
  "aws:cloudwatch/logGroup:LogGroup": (name) => ({
    name,
    arn: `arn:aws:logs:eu-west-1:111122223333:log-group:${name}`,
  }),
  "aws:cloudwatch/metricAlarm:MetricAlarm": (name) => ({
    arn: `arn:aws:cloudwatch:eu-west-1:111122223333:alarm:${name}`,
  }),
  "aws:dynamodb/table:Table": (name) => ({ name, arn: `arn:aws:dynamodb:eu-west-1:111122223333:table/${name}` }),
  "aws:ecs/cluster:Cluster": (name) => ({ arn: `arn:aws:ecs:eu-west-1:111122223333:cluster/${name}` }),
  "aws:iam/role:Role": (name) => ({ name, arn: `arn:aws:iam::111122223333:role/${name}` }),
  "aws:iam/rolePolicy:RolePolicy": () => ({}),
  "aws:lambda/eventSourceMapping:EventSourceMapping": () => ({}),
  "aws:lambda/function:Function": (name) => ({
    name,
    arn: `arn:aws:lambda:eu-west-1:111122223333:function:${name}`,
    invokeArn: `invoke:${name}`,
  }),
  "aws:lambda/permission:Permission": () => ({}),
  "aws:route53/record:Record": () => ({}),
  "aws:sns/topic:Topic": (name) => ({ arn: `arn:aws:sns:eu-west-1:111122223333:${name}` }),
  "aws:sns/topicPolicy:TopicPolicy": () => ({}),
  "aws:sns/topicSubscription:TopicSubscription": () => ({}),
  "aws:sqs/queue:Queue": (name) => ({
    name,
    url: `https://sqs.eu-west-1.amazonaws.com/111122223333/${name}`,
    arn: `arn:aws:sqs:eu-west-1:111122223333:${name}`,
  }),
  "aws:sqs/queuePolicy:QueuePolicy": () => ({}),
  // Remote components, which mocks know as one resource each, without children.
  "awsx:ecr:Image": (name) => ({ imageUri: `111122223333.dkr.ecr.eu-west-1.amazonaws.com/${name}@sha256:1` }),
  "awsx:ecr:Repository": (name) => ({ url: `111122223333.dkr.ecr.eu-west-1.amazonaws.com/${name}` }),
  "awsx:lb:ApplicationLoadBalancer": (name) => ({
    defaultTargetGroup: { arn: `arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/${name}` },
    loadBalancer: { dnsName: `internal-${name}.eu-west-1.elb.amazonaws.com` },
  }),
  "pulumi:providers:aws": () => ({}),
};

/**
 * Pulumi mocks that record every registration and refuse a type or a call that the tests do not foresee. In a preview,
 * what the provider computes is unknown, as with the engine; in one of an update (`created`) it is known, but what the
 * provider leaves out is not. A program that is to fail says by `awaitedErrors` how many errors come of it: one that came
 * late would be taken for the next program's.
 */
export async function record(
  program: () => unknown,
  {
    preview = false,
    created = !preview,
    awaitedErrors = 1,
    calls = {},
  }: {
    preview?: boolean;
    created?: boolean;
    awaitedErrors?: number;
    /** What the functions answer that the program calls, by token. */
    calls?: Record<string, (inputs: Record<string, unknown>) => Record<string, unknown>>;
  } = {},
): Promise<{ registrations: Registration[]; errors: Error[] }> {
  const registrations: Registration[] = [];
  const errors: Error[] = [];
  // An input that failed leaves its registration open for ever: whoever waits for it would wait in vain.
  let stopWaiting!: () => void;
  const failed = new Promise<void>((resolve) => (stopWaiting = resolve));
  const onRejection = (reason: unknown) => {
    errors.push(reason as Error);
    if (errors.length >= awaitedErrors) setImmediate(stopWaiting);
  };
  process.on("unhandledRejection", onRejection);
  await pulumi.runtime.setMocks(
    {
      newResource: ({ type, name, inputs, custom }) => {
        registrations.push({ type, name, inputs: inputs as Record<string, unknown> });
        if (!custom) {
          return { id: "", state: computed[type]?.(name) ?? {} };
        }
        const outputs = computed[type];
        if (!outputs) {
          errors.push(new Error(`unforeseen resource ${type} (${name})`));
          throw new Error(`unforeseen resource ${type} (${name})`);
        }
        return { id: created ? `${name}-id` : "", state: { ...inputs, ...(created ? outputs(name) : {}) } };
      },
      call: ({ token, inputs }) => {
        const answer = calls[token];
        if (answer) return answer(inputs as Record<string, unknown>);
        errors.push(new Error(`unforeseen call ${token}`));
        throw new Error(`unforeseen call ${token}`);
      },
    },
    "pulumi-websocket-relay",
    "test",
    preview,
  );
  try {
    program();
    await Promise.race([failed, waitForRPCs()]);
    await new Promise(setImmediate);
    await Promise.race([failed, waitForRPCs()]);
  } finally {
    process.off("unhandledRejection", onRejection);
  }
  // What an error left open is no news at the end of the tests.
  if (errors.length > 0) leakedPromises();
  return { registrations, errors };
}

/** Resolves with an output's value; rejects with its error, where `.apply` alone would pass it by. */
export function valueOf<T>(output: pulumi.Input<T>): Promise<pulumi.Unwrap<T>> {
  return (pulumi.output(output) as unknown as { promise(): Promise<pulumi.Unwrap<T>> }).promise();
}

const { leakedPromises } = require("@pulumi/pulumi/runtime/debuggable") as { leakedPromises: () => void };
const { waitForRPCs } = require("@pulumi/pulumi/runtime/settings") as { waitForRPCs: () => Promise<void> };
