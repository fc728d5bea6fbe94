import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { GatewayLogs, type GatewayLogsPartArgs } from "../../../components/gateway/gatewayLogs";
import { record, type Registration, valueOf } from "../../support/recorder";

describe("GatewayLogs", () => {
  it("makes the log groups alone where the account's role exists, the execution logs' by the name that API Gateway uses", async () => {
    const { gatewayLogs, registered } = await gatewayLogsOf({ accountRole: "exists" });

    const settings = { retentionInDays: 30, tags: { team: "chat" } };
    expect(registered).to.deep.equal({
      "aws:cloudwatch/logGroup:LogGroup relay-access-logs": settings,
      "aws:cloudwatch/logGroup:LogGroup relay-execution-logs": { name: "/aws/apigateway/api-id/live", ...settings },
    });
    // Else API Gateway would create the group, without retention and key.
    expect(await namesOf(gatewayLogs.prerequisites())).to.deep.equal(["relay-execution-logs"]);
  });

  it("makes no group of execution logs where they are off", async () => {
    const { gatewayLogs, registered } = await gatewayLogsOf({ accountRole: "exists", executionLoggingLevel: "OFF" });

    expect(Object.keys(registered)).to.deep.equal(["aws:cloudwatch/logGroup:LogGroup relay-access-logs"]);
    expect(gatewayLogs.executionLogGroup).to.equal(undefined);
    expect(gatewayLogs.prerequisites()).to.deep.equal([]);
  });

  it("makes the account's role, as API Gateway wants it, and sets it where asked to", async () => {
    const { gatewayLogs, registered } = await gatewayLogsOf({ accountRole: "create" });

    const role = registered["aws:iam/role:Role relay-access-logs-role"];
    expect(role?.assumeRolePolicy).to.have.nested.property(
      "Statement[0].Principal.Service",
      "apigateway.amazonaws.com",
    );
    const policy = registered["aws:iam/rolePolicy:RolePolicy relay-access-logs-policy"];
    expect(policy?.role).to.equal("relay-access-logs-role-id");
    expect(JSON.parse(policy?.policy as string)).to.deep.equal({
      Version: "2012-10-17",
      Statement: [
        {
          Effect: "Allow",
          Action: [
            "logs:CreateLogGroup",
            "logs:CreateLogStream",
            "logs:DescribeLogGroups",
            "logs:DescribeLogStreams",
            "logs:PutLogEvents",
            "logs:GetLogEvents",
            "logs:FilterLogEvents",
          ],
          Resource: "*",
        },
      ],
    });
    expect(registered["aws:apigateway/account:Account relay-account"]).to.deep.equal({
      cloudwatchRoleArn: "arn:aws:iam::111122223333:role/relay-access-logs-role",
    });
    expect(await namesOf(gatewayLogs.prerequisites())).to.deep.equal(["relay-account", "relay-execution-logs"]);
  });

  it("encrypts the log groups with a key, and bounds the role, where these are given", async () => {
    const kmsKeyArn = "arn:aws:kms:eu-west-1:444455556666:key/k";
    const permissionsBoundaryArn = "arn:aws:iam::444455556666:policy/boundary";

    const { registered } = await gatewayLogsOf({ accountRole: "create", kmsKeyArn, permissionsBoundaryArn });

    for (const part of ["access", "execution"]) {
      expect(registered[`aws:cloudwatch/logGroup:LogGroup relay-${part}-logs`]).to.include({ kmsKeyId: kmsKeyArn });
    }
    expect(registered["aws:iam/role:Role relay-access-logs-role"]).to.include({
      permissionsBoundary: permissionsBoundaryArn,
    });
  });

  it("logs each event as a line of JSON, of nothing that can carry a token", async () => {
    const { gatewayLogs } = await gatewayLogsOf({ accountRole: "exists" });
    const { destinationArn, format } = gatewayLogs.stageSettings();

    expect(await valueOf(destinationArn)).to.equal("arn:aws:logs:eu-west-1:111122223333:log-group:relay-access-logs");
    expect(Object.values(JSON.parse(format) as object)).to.deep.equal([
      "$context.requestId",
      "$context.extendedRequestId",
      "$context.requestTime",
      "$context.eventType",
      "$context.routeKey",
      "$context.stage",
      "$context.connectionId",
      "$context.connectedAt",
      "$context.messageId",
      "$context.status",
      "$context.error.message",
      "$context.error.responseType",
      "$context.integrationLatency",
      "$context.identity.sourceIp",
    ]);
    expect(format).not.to.include("\n");
  });
});

async function gatewayLogsOf(args: Partial<GatewayLogsPartArgs> & Pick<GatewayLogsPartArgs, "accountRole">): Promise<{
  gatewayLogs: GatewayLogs;
  registered: Record<string, Registration["inputs"]>;
}> {
  let gatewayLogs!: GatewayLogs;
  const { registrations, errors } = await record(() => {
    const api = new aws.apigatewayv2.Api("api", { protocolType: "WEBSOCKET" });
    const common = { executionLoggingLevel: "ERROR", logRetentionInDays: 30, tags: { team: "chat" } } as const;
    gatewayLogs = new GatewayLogs("relay", { api, stageName: "live", ...common, ...args });
  });
  expect(errors).to.deep.equal([]);
  const own = registrations.filter(({ type, name }) => type.startsWith("aws:") && name !== "api");
  return {
    gatewayLogs,
    registered: Object.fromEntries(own.map(({ type, name, inputs }) => [`${type} ${name}`, inputs])),
  };
}

async function namesOf(resources: pulumi.Resource[]): Promise<string[]> {
  const urns = await Promise.all(resources.map(({ urn }) => valueOf(urn)));
  return urns.map((urn) => urn.split("::").at(-1) ?? "");
}
