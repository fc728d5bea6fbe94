import { expect } from "chai";
import { AccessLogs, type AccessLogsPartArgs } from "../../../components/gateway/accessLogs";
import { record, type Registration, valueOf } from "../../support/recorder";

describe("AccessLogs", () => {
  it("makes the log group alone where the account's role exists", async () => {
    const { accessLogs, registered } = await accessLogsOf({ accountRole: "exists" });

    expect(registered).to.deep.equal({
      "aws:cloudwatch/logGroup:LogGroup relay-access-logs": { retentionInDays: 30, tags: { team: "chat" } },
    });
    expect(accessLogs.prerequisites()).to.deep.equal([]);
  });

  it("makes the account's role, as API Gateway wants it, and sets it where asked to", async () => {
    const { accessLogs, registered } = await accessLogsOf({ accountRole: "create" });

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
    const [account, ...others] = accessLogs.prerequisites();
    expect(await valueOf(account?.urn)).to.match(/aws:apigateway\/account:Account::relay-account$/);
    expect(others).to.deep.equal([]);
  });

  it("encrypts the log group with a key, and bounds the role, where these are given", async () => {
    const kmsKeyArn = "arn:aws:kms:eu-west-1:444455556666:key/k";
    const permissionsBoundaryArn = "arn:aws:iam::444455556666:policy/boundary";

    const { registered } = await accessLogsOf({ accountRole: "create", kmsKeyArn, permissionsBoundaryArn });

    expect(registered["aws:cloudwatch/logGroup:LogGroup relay-access-logs"]).to.include({ kmsKeyId: kmsKeyArn });
    expect(registered["aws:iam/role:Role relay-access-logs-role"]).to.include({
      permissionsBoundary: permissionsBoundaryArn,
    });
  });

  it("logs each event as a line of JSON, of nothing that can carry a token", async () => {
    const { accessLogs } = await accessLogsOf({ accountRole: "exists" });
    const { destinationArn, format } = accessLogs.stageSettings();

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

async function accessLogsOf(args: Partial<AccessLogsPartArgs> & Pick<AccessLogsPartArgs, "accountRole">): Promise<{
  accessLogs: AccessLogs;
  registered: Record<string, Registration["inputs"]>;
}> {
  let accessLogs!: AccessLogs;
  const { registrations, errors } = await record(() => {
    accessLogs = new AccessLogs("relay", { logRetentionInDays: 30, tags: { team: "chat" }, ...args });
  });
  expect(errors).to.deep.equal([]);
  const own = registrations.filter(({ type }) => type.startsWith("aws:"));
  return {
    accessLogs,
    registered: Object.fromEntries(own.map(({ type, name, inputs }) => [`${type} ${name}`, inputs])),
  };
}
