import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { resolveArgs } from "../../../components/args/args";
import { type ExistingTable, existingTableProblem } from "../../../components/data/existingTable";
import { refusal } from "../../support/refusal";
import { itRefuses } from "./argsProblem";
import { valueOf } from "../../support/recorder";
import { auth } from "../../support/relayRun";

const topicArn = "arn:aws:sns:eu-west-1:444455556666:answers";
const kmsKeyArn = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

describe("what exists already", () => {
  itRefuses([
    ["a topic's name", { topicArn: "answers" }, "topicArn", ['"answers"', "ARN"]],
    ["a queue for a topic", { topicArn: topicArn.replace("sns", "sqs") }, "topicArn", ["arn:aws:sns"]],
    ["a FIFO topic", { topicArn: `${topicArn}.fifo` }, "topicArn", [".fifo", "standard"]],
    [
      "a standard topic in strict order",
      { topicArn, delivery: "replay", ordering: "strict" },
      "topicArn",
      [topicArn, "a FIFO topic, whose name ends with .fifo", "leave ordering out"],
    ],
    [
      "a topic's name that is too long",
      { topicArn: `arn:aws:sns:eu-west-1:444455556666:${"x".repeat(257)}` },
      "topicArn",
      ["ARN"],
    ],
    ["an empty topic", { topicArn: "" }, "topicArn", ['got ""']],
    ["a table's ARN", { tableName: "arn:aws:dynamodb:eu-west-1:1:table/t" }, "tableName", ["not the ARN"]],
    ["a table's name of two letters", { tableName: "ab" }, "tableName", ["3 to 255"]],
    ["a key's alias", { kmsKeyArn: kmsKeyArn.replace("key/", "alias/") }, "kmsKeyArn", ["not an alias"]],
    ["a key's id", { kmsKeyArn: "1234abcd-12ab-34cd-56ef-1234567890ab" }, "kmsKeyArn", ["1234abcd"]],
    [
      "a role for a boundary",
      { permissionsBoundaryArn: "arn:aws:iam::111122223333:role/x" },
      "permissionsBoundaryArn",
      ["policy"],
    ],
    ["a number for an account", { publisherAccountIds: [444455556666] }, "publisherAccountIds[0]", ["in quotes"]],
    ["an account of eleven digits", { publisherAccountIds: ["11112222333"] }, "publisherAccountIds[0]", ["twelve"]],
    ["an account outside of a list", { publisherAccountIds: "444455556666" }, "publisherAccountIds", ["a list"]],
    [
      "accounts that are known later",
      { publisherAccountIds: pulumi.output(["444455556666"]) },
      "publisherAccountIds",
      ["an output"],
    ],
    ["a root for an organization", { publisherOrganizationIds: ["r-abcd"] }, "publisherOrganizationIds[0]", ["r-abcd"]],
    [
      "publishers of a topic that is not the relay's",
      { topicArn, publisherAccountIds: ["444455556666"] },
      "publisherAccountIds",
      ["its owner's"],
    ],
    [
      "an organization for a topic that is not the relay's",
      { topicArn, publisherOrganizationIds: ["o-a1b2c3d4e5"] },
      "publisherOrganizationIds",
      ["its owner's"],
    ],
    [
      "restoring a table that is not the relay's",
      { tableName: "sessions", pointInTimeRecovery: true },
      "pointInTimeRecovery",
      ["where you create that table"],
    ],
    [
      "publishers that are known later, of a topic that is not the relay's",
      { topicArn, publisherAccountIds: [pulumi.output("444455556666")] },
      "publisherAccountIds",
      ['got ["an output"];'],
    ],
    ["a resource for its ARN", { topicArn: { __pulumiResource: true } }, "topicArn", ['got "a resource";']],
    ["protectData that is known later", { protectData: pulumi.output(true) }, "protectData", ['got "an output";']],
    ["a word for protectData", { protectData: "false" }, "protectData", ['"false"']],
    ["a word for pointInTimeRecovery", { pointInTimeRecovery: "on" }, "pointInTimeRecovery", ['"on"']],
  ]);

  it("takes a FIFO topic in strict order", () => {
    const args = { topicArn: `${topicArn}.fifo`, delivery: "replay", ordering: "strict" } as const;
    expect(resolveArgs({ auth, ...args }).topicArn).to.equal(args.topicArn);
  });

  const strict = { delivery: "replay", ordering: "strict" } as const;
  for (const [name, given, args] of [
    ["a FIFO topic", `${topicArn}.fifo`, {}],
    ["a standard topic in strict order", topicArn, strict],
  ] as const) {
    it(`refuses ${name} that is known later as soon as it is`, async () => {
      const { topicArn: later } = resolveArgs({ auth, topicArn: pulumi.output(given), ...args });
      expect((await refusal(valueOf(later))).message).to.match(
        /^topicArn: got .*FIFO topic|^topicArn: got .*standard topic/,
      );
    });
  }

  it("takes ARNs of every partition and names that are known later", async () => {
    const args = {
      topicArn: "arn:aws-us-gov:sns:us-gov-west-1:444455556666:answers",
      tableName: pulumi.output("sessions"),
      kmsKeyArn: "arn:aws-cn:kms:cn-north-1:111122223333:key/mrk-1234abcd",
      permissionsBoundaryArn: "arn:aws:iam::aws:policy/PowerUserAccess",
    };
    const resolved = resolveArgs({ auth, ...args });
    expect(resolved).to.include({ ...args, tableName: resolved.tableName });
    expect(await valueOf(resolved.tableName)).to.equal("sessions");
  });

  it("refuses a key of another region, where the relay's is known", async () => {
    const inRegion = (given: pulumi.Input<string>, region?: string) =>
      resolveArgs({ auth, kmsKeyArn: given }, region).kmsKeyArn;
    expect(() => inRegion(kmsKeyArn, "us-east-1")).to.throw("a key in us-east-1");
    expect((await refusal(valueOf(inRegion(pulumi.output(kmsKeyArn), "us-east-1")))).message).to.contain("us-east-1");
    expect([inRegion(kmsKeyArn, "eu-west-1"), inRegion(kmsKeyArn)]).to.deep.equal([kmsKeyArn, kmsKeyArn]);
  });

  it("refuses what turns out to be wrong when it is known", async () => {
    const { tableName } = resolveArgs({ auth, tableName: pulumi.output("no") });
    expect((await refusal(valueOf(tableName))).message).to.include("3 to 255");
  });

  it("restores the table to any second where data is protected, unless told otherwise or the table is not the relay's", () => {
    const restored = (args: object) => resolveArgs({ auth, ...args }).pointInTimeRecovery;
    expect(restored({})).to.equal(false);
    expect(restored({ protectData: true })).to.equal(true);
    expect(restored({ protectData: true, pointInTimeRecovery: false })).to.equal(false);
    expect(restored({ pointInTimeRecovery: true })).to.equal(true);
    expect(restored({ protectData: true, tableName: "sessions" })).to.equal(false);
    expect(restored({ protectData: true, tableName: "sessions", delivery: "replay" })).to.equal(true);
  });
});

describe("a table that is not the relay's", () => {
  const connection = { name: "connection", hashKey: "connection_id" };
  const tokenExpiry = {
    name: "token-expiry",
    keySchemas: [
      { attributeName: "expiry_shard", keyType: "HASH" },
      { attributeName: "token_expires_at", keyType: "RANGE" },
    ],
  };
  const table: ExistingTable = {
    name: "sessions",
    hashKey: "caller_id",
    rangeKey: "context",
    attributes: [
      { name: "caller_id", type: "S" },
      { name: "context", type: "S" },
      { name: "connection_id", type: "S" },
      { name: "expiry_shard", type: "S" },
      { name: "token_expires_at", type: "N" },
    ],
    globalSecondaryIndexes: [connection, tokenExpiry],
    ttl: { attributeName: "expiration_date", enabled: true },
  };

  const all = { connectionIndex: true, endSessionWithToken: true };

  it("is taken with the keys, the indexes and the expiry that the relay needs", () => {
    expect(existingTableProblem(table, all)).to.equal(undefined);
    expect(
      existingTableProblem({ ...table, globalSecondaryIndexes: [connection] }, { ...all, endSessionWithToken: false }),
    ).to.equal(undefined);
    expect(
      existingTableProblem({ ...table, globalSecondaryIndexes: [tokenExpiry] }, { ...all, connectionIndex: false }),
    ).to.equal(undefined);
  });

  const refused: [what: string, change: Partial<ExistingTable>, says: string][] = [
    ["another key", { hashKey: "id" }, "whose keys are caller_id (S), context (S), where this one has: id"],
    ["no sort key", { rangeKey: undefined }, "where this one has: caller_id (S)."],
    [
      "no index by connection",
      { globalSecondaryIndexes: [tokenExpiry] },
      "connection_id (S), where this one has: none",
    ],
    ["no index by expiry", { globalSecondaryIndexes: [connection] }, "token_expires_at (N), where this one has: none"],
    [
      "a sort key in the index by connection",
      { globalSecondaryIndexes: [{ ...connection, rangeKey: "context" }, tokenExpiry] },
      "has: connection_id (S), context (S)",
    ],
    [
      "an expiry that is text",
      { attributes: table.attributes.map((each) => ({ ...each, type: "S" })) },
      "has: expiry_shard (S), token_expires_at (S)",
    ],
    [
      "rows that never expire",
      { ttl: { attributeName: "", enabled: false } },
      "expiration_date, where this one has: never",
    ],
    ["another expiry", { ttl: { attributeName: "ttl", enabled: true } }, "where this one has: by ttl"],
  ];
  for (const [what, change, says] of refused) {
    it(`is refused with ${what}, saying what is needed`, () => {
      expect(existingTableProblem({ ...table, ...change }, all))
        .to.include('got "sessions"')
        .and.to.include(says)
        .and.to.include("in an update before this one");
    });
  }
});
