import { recordProgram, type RunOptions } from "../../testing/recordProgram";
import type { Registration } from "../../testing";

export { type Registration, valueOf } from "../../testing";

const account = "111122223333";

/** Besides the relay's, those of the examples. */
const resources: RunOptions["resources"] = {
  "aws:cognito/userPool:UserPool": () => ({
    id: "eu-west-1_AbCdEf123",
    endpoint: "cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEf123",
  }),
  "aws:cognito/userPoolClient:UserPoolClient": () => ({ id: "1h57kf5cpq17m0eml12example" }),
  "aws:cognito/userPoolDomain:UserPoolDomain": () => ({}),
  "aws:ecs/cluster:Cluster": (name) => ({ arn: `arn:aws:ecs:eu-west-1:${account}:cluster/${name}` }),
  // Remote components, which mocks know as one resource each, without children.
  "awsx:ecr:Image": (name) => ({ imageUri: `${account}.dkr.ecr.eu-west-1.amazonaws.com/${name}@sha256:1` }),
  "awsx:ecr:Repository": (name) => ({ url: `${account}.dkr.ecr.eu-west-1.amazonaws.com/${name}` }),
  "awsx:lb:ApplicationLoadBalancer": (name) => ({
    defaultTargetGroup: { arn: `arn:aws:elasticloadbalancing:eu-west-1:${account}:targetgroup/${name}` },
    loadBalancer: { dnsName: `internal-${name}.eu-west-1.elb.amazonaws.com` },
  }),
};

/**
 * What a program registers under the mocks that consumers get, and the errors that come of it. A program that is to fail says
 * by `awaitedErrors` how many errors come of it: one that came late would be taken for the next program's.
 */
export function record(
  program: () => unknown,
  { awaitedErrors, ...options }: RunOptions & { awaitedErrors?: number } = {},
): Promise<{ registrations: Registration[]; errors: Error[] }> {
  const named = { project: "pulumi-websocket-relay", stack: "test", resources, ...options };
  return recordProgram(program, named, awaitedErrors);
}
