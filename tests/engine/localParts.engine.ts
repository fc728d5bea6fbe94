import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DynamoDBClient, PutItemCommand, QueryCommand } from "@aws-sdk/client-dynamodb";
import { expect } from "chai";
import { credentials, region } from "../../local/account";
import { LocalCloud } from "../../local/cloud";
import { ProviderServer } from "../../local/provision/providerServer";
import { ProgramCopy } from "./programCopy";

/** A program of what the component registers only where it is asked to; `indexed`: its table has an index. */
const programOf = (indexed: boolean) => `
import * as aws from "@pulumi/aws";

const table = new aws.dynamodb.Table("table", {
  billingMode: "PAY_PER_REQUEST",
  hashKey: "id",
  attributes: [{ name: "id", type: "S" }${indexed ? ', { name: "shard_id", type: "S" }' : ""}],
  globalSecondaryIndexes: ${indexed ? '[{ name: "by-shard", hashKey: "shard_id", projectionType: "KEYS_ONLY" }]' : "[]"},
});
const topic = new aws.sns.Topic("topic");
const domain = new aws.apigatewayv2.DomainName("domain", {
  domainName: "ws.relay.dev",
  domainNameConfiguration: {
    certificateArn: "arn:aws:acm:us-east-1:000000000000:certificate/c",
    endpointType: "REGIONAL",
    securityPolicy: "TLS_1_2",
  },
});
const { targetDomainName, hostedZoneId } = domain.domainNameConfiguration;
const record = new aws.route53.Record("record", {
  zoneId: "Z0",
  name: "ws.relay.dev",
  type: "A",
  aliases: [{ name: targetDomainName, zoneId: hostedZoneId, evaluateTargetHealth: false }],
});

export const tableName = table.name;
export const hashKey = aws.dynamodb.getTableOutput({ name: table.name }).hashKey;
export const topicName = topic.arn.apply((arn) => aws.sns.Topic.get("same", arn).name);
export const alias = record.aliases.apply((aliases) => aliases?.[0]?.name);
`;

/** The life of one stack: each test goes on from where the one before it ended. */
describe("the local parts, driven by the real engine", function () {
  this.timeout(180_000);
  this.bail(true);

  let cloud: LocalCloud;
  let provider: ProviderServer;
  let program: ProgramCopy;
  let dynamodb: DynamoDBClient;
  let tableName: string;

  before(async () => {
    cloud = await LocalCloud.start({ audience: "test", userClaim: "sub", log: () => undefined });
    provider = await ProviderServer.start(cloud.provisioner);
    program = await ProgramCopy.create(provider.port);
    dynamodb = new DynamoDBClient({ endpoint: cloud.tables.endpoint, region, credentials });
    await writeProgram(false);
    await program.pulumi("stack", "init", "dev");
  });
  after(async () => {
    dynamodb?.destroy();
    await provider?.close();
    await cloud?.close();
    await program?.remove();
  });

  const writeProgram = (indexed: boolean) => writeFile(join(program.folder, "index.ts"), programOf(indexed));

  it("are read by get(), asked by functions, and give nested outputs that no preview invents", async () => {
    expect(await program.preview()).to.deep.include({ op: "create", name: "record" });
    await program.pulumi("up", "--yes", "--skip-preview");
    const outputs = await program.pulumiJson<Record<string, string>>("stack", "output");
    expect(outputs.hashKey).to.equal("id");
    expect(outputs.topicName).to.match(/^topic-[0-9a-f]{7}$/);
    expect(outputs.alias).to.match(/^d-.*\.execute-api\.us-east-1\.amazonaws\.com$/);
    tableName = outputs.tableName ?? "";
  });

  it("change nothing in a second up", async () => {
    await program.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes");
  });

  it("add an index to a table in place, and keep its items", async () => {
    const Item = { id: { S: "1" }, shard_id: { S: "3" } };
    await dynamodb.send(new PutItemCommand({ TableName: tableName, Item }));
    await writeProgram(true);

    const changes = (await program.up()).filter(({ op }) => op !== "read");
    expect(changes).to.deep.equal([{ op: "update", name: "table" }]);

    const query = new QueryCommand({
      TableName: tableName,
      IndexName: "by-shard",
      KeyConditionExpression: "shard_id = :shard",
      ExpressionAttributeValues: { ":shard": { S: "3" } },
    });
    expect((await dynamodb.send(query)).Items).to.deep.equal([Item]);
  });

  it("leave nothing after destroy", async () => {
    await program.pulumi("destroy", "--yes", "--skip-preview");
    expect((await program.resources()).map(({ type }) => type)).not.to.include("aws:dynamodb/table:Table");
  });
});
