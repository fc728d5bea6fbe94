import { startProgram } from "./program";
import { receiptsQueue } from "./receipts";
import { replayFlows } from "./replayFlows";
import { describeRights, fast } from "./rights";

/** Every argument that grants a right in replay mode. */
const everyRightOfReplay = `
const owner = { Effect: "Allow", Principal: { AWS: "arn:aws:iam::000000000000:root" }, Action: "kms:*", Resource: "*" };
const Statement = [owner, ...kmsKeyPolicyStatements({ accountId: "000000000000", region: "us-east-1" })];
const key = new aws.kms.Key("key", { policy: JSON.stringify({ Version: "2012-10-17", Statement }) });
const relay = new WebsocketRelay("relay", {
  auth,
  kmsKeyArn: key.arn,
  delivery: "replay",
  connectionIndex: false,
  httpRead: true,
  receipts: true,
  deadLetterExpired: true,
  maxAttempts: 10,
  backoffMinSeconds: 1,
  backoffMaxSeconds: 10,
});
const assumeRolePolicy = aws.iam.assumeRolePolicyForPrincipal({ Service: "ecs-tasks.amazonaws.com" });
relay.grantReadPosition(new aws.iam.Role("backend", { assumeRolePolicy }));
${receiptsQueue}`;

describeRights("a relay in replay mode", () => startProgram(everyRightOfReplay, fast), replayFlows);
