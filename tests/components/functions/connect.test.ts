import type * as aws from "@pulumi/aws";
import { expect } from "chai";
import { resolveArgs, type WebsocketRelayArgs } from "../../../components/args/args";
import { connectSpec } from "../../../components/functions/connect";
import type { RelayParts } from "../../../components/functions/relayFunction";

const flushQueue = { url: "https://sqs.test/flush", arn: "arn:flush" } as unknown as aws.sqs.Queue;

/** The specification of connect, with the gateway's methods that it may call. */
function specWith(args: Partial<WebsocketRelayArgs>, queue?: aws.sqs.Queue) {
  const parts = {
    sessionTable: { tableName: "sessions", statement: () => "the session table" },
    gateway: {
      origins: [],
      managementEndpoint: "https://api.test/live",
      manageConnectionsStatement: (...methods: string[]) => methods,
    },
    relayName: "relay",
  } as unknown as RelayParts;
  const resolved = resolveArgs({ auth: null, ...args });
  const { environment, statements } = connectSpec({ ...parts, ...(queue && { flushQueue: queue }) }, resolved);
  const { AUTH, ALLOWED_ORIGINS, ...rest } = environment as Record<string, unknown>;
  expect([AUTH, ALLOWED_ORIGINS]).not.to.include(undefined);
  return { environment: rest, statements };
}

describe("connect's environment and rights", () => {
  const common = { TABLE_NAME: "sessions", SESSION_TTL_SECONDS: "10800", RELAY_NAME: "relay" };
  const endpoint = { MANAGEMENT_ENDPOINT: "https://api.test/live" };
  const sending = { Action: ["sqs:SendMessage"], Resource: ["arn:flush"] };
  const retention = { HISTORY_RETENTION_SECONDS: "86400" };

  for (const [delivery, connections, queue, environment, rights] of [
    ["retry", "newest", undefined, {}, []],
    ["retry", "all", undefined, endpoint, [["POST", "GET", "DELETE"]]],
    ["replay", "newest", undefined, { ...endpoint, ...retention, RAW_CLIENTS: "false" }, [["POST"]]],
    [
      "replay",
      "newest",
      flushQueue,
      { ...endpoint, ...retention, FLUSH_QUEUE_URL: "https://sqs.test/flush" },
      [["POST"], sending],
    ],
    [
      "replay",
      "all",
      flushQueue,
      { ...endpoint, ...retention, FLUSH_QUEUE_URL: "https://sqs.test/flush" },
      [["POST", "GET", "DELETE"], sending],
    ],
  ] as const) {
    const clients = queue ? " and raw clients" : "";
    it(`are what it uses, and no more: delivery ${delivery}, connections ${connections}${clients}`, () => {
      const spec = specWith({ delivery, connections }, queue);
      expect(spec.environment).to.deep.equal({ ...common, CONNECTIONS: connections, ...environment });
      expect(spec.statements).to.deep.equal(["the session table", ...rights]);
    });
  }

  it("follow the retention", () => {
    const { environment } = specWith({ delivery: "replay", historyRetentionSeconds: 604_800 });
    expect(environment).to.include({ HISTORY_RETENTION_SECONDS: "604800" });
  });
});
