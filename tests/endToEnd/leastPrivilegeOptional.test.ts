import { flows, optionalFlows } from "./flows";
import { startProgram } from "./program";
import { describeRights, fast } from "./rights";

/** Every argument that grants a right. */
const everyRight = `
const accountId = "000000000000";
const region = "us-east-1";
const publisherAccountIds = ["111122223333"];
const owner = { Effect: "Allow", Principal: { AWS: \`arn:aws:iam::\${accountId}:root\` }, Action: "kms:*", Resource: "*" };
const Statement = [owner, ...kmsKeyPolicyStatements({ accountId, region, publisherAccountIds })];
const key = new aws.kms.Key("key", { policy: JSON.stringify({ Version: "2012-10-17", Statement }) });
const relay = new WebsocketRelay("relay", {
  auth: { ...auth, endSessionWithToken: true },
  kmsKeyArn: key.arn,
  publisherAccountIds,
  maxAttempts: 10,
  backoffMinSeconds: 1,
  backoffMaxSeconds: 10,
});
const assumeRolePolicy = aws.iam.assumeRolePolicyForPrincipal({ Service: "ecs-tasks.amazonaws.com" });
const backend = new aws.iam.Role("backend", { assumeRolePolicy });
relay.grantPublish(backend);
relay.grantDisconnectUser(backend);
`;

const start = () => startProgram(everyRight, fast);
describeRights("a relay with every optional right", start, { ...flows, ...optionalFlows });
