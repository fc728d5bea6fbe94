import { once } from "node:events";
import { ApiGatewayManagementApiClient } from "@aws-sdk/client-apigatewaymanagementapi";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { SNSClient, type SNSClientConfig } from "@aws-sdk/client-sns";
import { expect } from "chai";
import { RelayBackend } from "../../backend";
import type { PolicyEntry } from "../../local/iam/policies";
import type { Authorization } from "../../local/iam/authorizations";
import { pause } from "./pause";
import { type Client, recipient, type Recipient, type Relay } from "./relay";

export type Flows = Record<string, (relay: Relay) => Promise<void>>;

/**
 * Everything that the functions of the program ever do, as it is seen from outside. A right that no flow here needs is one
 * too many: a new one comes with the flow that needs it.
 */
export const flows: Flows = {
  "a client connects, and its session is cleared when it disconnects": async (relay) => {
    const to = recipient();
    const client = await relay.connect(to);
    const connectionId = await connectionOf(relay, to);
    await relay.log({ event: "connected", connectionId });
    await client.close();
    await relay.log({ event: "disconnected", connectionId });
    expect(await relay.session(to)).to.equal(undefined);
  },

  "a client without a token, without a context or from elsewhere is refused": async (relay) => {
    const to = recipient();
    const cookie = `${relay.addresses.cookieName}=${await relay.token(to.user)}`;
    const statusOf = async (url: string, headers = {}) => (await relay.handshake(url, { headers })).status;
    expect(await statusOf(relay.url(to))).to.equal(401);
    expect(await statusOf(relay.addresses.websocketUrl, { cookie })).to.equal(400);
    expect(await statusOf(relay.url(to), { cookie, origin: "https://elsewhere.dev" })).to.equal(403);
  },

  "messages are delivered, one after another, and leave the queue": async (relay) => {
    const to = recipient();
    const client = await relay.connect(to);
    for (const message of ["first", "second"]) {
      await relay.publish(to, message);
      await client.message(message);
    }
    await relay.log({ event: "delivered", callerId: `user#${to.user}` });
    await relay.untilQueueIsEmpty();
  },

  "a message for all sessions of a user, or of a context, is delivered to each of them": async (relay) => {
    const to = recipient();
    const addressees = [to, { ...to, contextId: "8" }, { ...to, context: "news" }];
    const clients = await Promise.all(addressees.map((each) => relay.connect(each)));
    await relay.publish({ user: to.user, scope: "user" }, "to the user");
    for (const client of clients) await client.message("to the user");
    await relay.publish({ user: to.user, context: "chat", scope: "context" }, "to the chats");
    for (const client of clients.slice(0, 2)) await client.message("to the chats");
    await relay.untilQueueIsEmpty();
  },

  "a message for all sessions of a user is sent once more only to the session that it failed for": async (relay) => {
    const to = recipient();
    const clients = await Promise.all([relay.connect(to), relay.connect({ ...to, contextId: "8" })]);
    await relay.fault({ management: 429, times: 1 });
    await relay.publish({ user: to.user, scope: "user" }, "once");
    for (const client of clients) await client.message("once");
    await relay.untilQueueIsEmpty();
    expect(clients.map(({ messages }) => messages)).to.deep.equal([["once"], ["once"]]);
  },

  "the poller watches the queue while messages come": async (relay) => {
    const to = recipient();
    const client = await relay.connect(to);
    const before = await watches(relay);
    for (let count = 1; (await watches(relay)) === before; count++) {
      await relay.publish(to, `message ${count}`);
      await client.message(`message ${count}`);
    }
    await relay.untilQueueIsEmpty();
  },

  "a message waits for a client whose connection was lost": async (relay) => {
    const to = recipient();
    await loseConnection(relay, await relay.connect(to), await connectionOf(relay, to));
    await relay.publish(to, "while you were away");
    await relay.log({ event: "failed", reason: "connection-gone", callerId: `user#${to.user}` });
    await (await relay.connect(to)).message("while you were away");
    await relay.untilQueueIsEmpty();
  },

  "a connection that is gone for good is forgotten": async (relay) => {
    const to = recipient();
    await loseConnection(relay, await relay.connect(to), await connectionOf(relay, to));
    await relay.table.ageSession(to, 120);
    await relay.publish(to, "kept");
    while (await relay.session(to)) await pause();
    await (await relay.connect(to)).message("kept");
    await relay.untilQueueIsEmpty();
  },

  "a connection that is gone for good leaves superseded ones in its session's row": async (relay) => {
    const to = recipient();
    await relay.connect(to);
    const superseded = await connectionOf(relay, to);
    await loseConnection(relay, await relay.connect(to), await connectionOf(relay, to));
    await relay.table.ageSession(to, 120);
    await relay.publish(to, "kept");
    while ((await connectionOf(relay, to)) !== "") await pause();
    expect(await idsIn(relay, to)).to.deep.equal([superseded]);
    await (await relay.connect(to)).message("kept");
    await relay.untilQueueIsEmpty();
  },

  "a client whose session has expired is closed, and comes back": async (relay) => {
    const to = recipient();
    const client = await relay.connect(to);
    await relay.table.expireSession(to);
    await relay.publish(to, "expired");
    await once(client.socket, "close");
    await (await relay.connect(to)).message("expired");
    await relay.untilQueueIsEmpty();
  },

  "a superseded connection leaves the newer one's session alone": async (relay) => {
    const to = recipient();
    await relay.connect(to);
    const connectionId = await connectionOf(relay, to);
    await relay.connect(to);
    const newer = await connectionOf(relay, to);
    expect(await idsIn(relay, to)).to.have.members([connectionId, newer]);
    await relay.management("DELETE", connectionId);
    await relay.log({ event: "disconnected", connectionId });
    expect(await connectionOf(relay, to)).to.equal(newer);
    expect(await idsIn(relay, to)).to.deep.equal([newer]);
  },

  "a client whose session's row is not the relay's is refused, and leaves nothing in the table": async (relay) => {
    const to = recipient();
    await relay.table.putSession(to, { connected_at: { N: "1" } });
    await refusedWithoutTrace(relay, to);
  },

  "a client that arrives late is refused": async (relay) => {
    const to = recipient();
    const expiration_date = { N: String(Math.floor(Date.now() / 1000) + 10_800) };
    const connected_at = { N: String(Date.now() + 60_000) };
    await relay.table.putSession(to, { connection_id: { S: "newer=" }, connected_at, expiration_date });
    const headers = { authorization: `Bearer ${await relay.token(to.user)}` };
    expect((await relay.handshake(relay.url(to), { headers })).status).to.equal(409);
  },

  "a message that cannot be delivered is dead-lettered": async (relay) => {
    const { user } = recipient();
    await relay.publish({ user }, `${user} has no context`);
    await relay.deadLetter(`${user} has no context`);
    await relay.untilQueueIsEmpty();
  },

  "a message that the retry queue cannot take is in the subscription's dead-letter queue": async (relay) => {
    const to = recipient();
    const tooLarge = `${to.user} ${"x".repeat(1_024)}`;
    const { subscriptionDeadLetterQueueUrl } = relay.addresses;
    await relay.queues.withMaximumMessageSize(1_024, async () => {
      await relay.publish(to, tooLarge);
      await relay.deadLetter(tooLarge, subscriptionDeadLetterQueueUrl);
    });
  },
};

/** What comes with arguments that the stack dev does not give: see `everyRight` in leastPrivilegeOptional.test.ts. */
export const optionalFlows: Flows = {
  "a session ends with its token": async (relay) => {
    const to = recipient();
    const client = await relay.connect(to);
    const connectionId = await connectionOf(relay, to);
    await relay.table.expireToken(connectionId);
    await once(client.socket, "close");
    await relay.log({ event: "token ended", connectionId });
    while (await relay.table.lookup(connectionId)) await pause();
    expect(await relay.session(to)).to.equal(undefined);
  },

  "a superseded connection ends with its token, and leaves the newer one's session alone": async (relay) => {
    const to = recipient();
    const client = await relay.connect(to);
    const connectionId = await connectionOf(relay, to);
    await relay.connect(to);
    const newer = await connectionOf(relay, to);
    // The sweeper itself removes the connection: disconnect would often be faster.
    await relay.fault({ disconnects: "lose" });
    await relay.table.expireToken(connectionId);
    await once(client.socket, "close");
    while (await relay.table.lookup(connectionId)) await pause();
    while ((await idsIn(relay, to)).length > 1) await pause();
    await relay.fault({ disconnects: "deliver" });
    expect(await idsIn(relay, to)).to.deep.equal([newer]);
  },

  "a connection that was opened under 0.1.0 is found when it ends": async (relay) => {
    const to = recipient();
    const client = await relay.connect(to);
    await relay.table.asOf010(to, (await relay.session(to)) ?? {});
    const connectionId = await connectionOf(relay, to);
    await client.close();
    await relay.log({ event: "disconnected", connectionId, sessions: 1 });
    expect(await relay.session(to)).to.equal(undefined);
  },

  "a backend publishes to a user and cuts the user off, by its role's rights": async (relay) => {
    const to = recipient();
    const client = await relay.connect(to);
    const backend = await backendOf(relay);
    await backend.publish({ ...to, message: "hello" });
    await client.message("hello");
    await relay.untilQueueIsEmpty();
    const second = await relay.connect(to);
    const closed = [client, second].map(({ socket }) => once(socket, "close"));
    await backend.disconnectUser(to.user, { blockSeconds: 60 });
    await Promise.all(closed);
    expect(await relay.session(to)).to.equal(undefined);
    const headers = { authorization: `Bearer ${await relay.token(to.user)}` };
    expect((await relay.handshake(relay.url(to), { headers })).status).to.equal(403);
  },

  "a backend of another account publishes": async (relay) => {
    const to = recipient();
    const client = await relay.connect(to);
    await backendAs(relay, publisherCredentials).publish({ ...to, message: "from elsewhere" });
    await client.message("from elsewhere");
    await relay.untilQueueIsEmpty();
  },
};

/** The administrator of another account, as the local run knows one. */
const publisherCredentials = { accessKeyId: "111122223333", secretAccessKey: "local" };

/** A backend with all rights. */
export function administratorOf(relay: Relay): RelayBackend {
  const { accessKeyId, secretAccessKey } = relay.addresses;
  return backendAs(relay, { accessKeyId, secretAccessKey });
}

/** The backend that the program has granted rights, with its own role's credentials. */
export async function backendOf(relay: Relay): Promise<RelayBackend> {
  const policies = await relay.controlled<PolicyEntry[]>("/policies");
  const accessKeyId = policies.find(({ of }) => of.includes(":role/backend"))?.accessKeyId ?? "none";
  return backendAs(relay, { accessKeyId, secretAccessKey: "local", sessionToken: "task" });
}

function backendAs(relay: Relay, credentials: SNSClientConfig["credentials"]): RelayBackend {
  const { topicArn, tableName, managementEndpoint, historyTableName, ...local } = relay.addresses;
  const { awsEndpoint, dynamodbEndpoint, region } = local;
  const as = { region, credentials, maxAttempts: 1 };
  const clients = {
    sns: new SNSClient({ ...as, endpoint: awsEndpoint }),
    dynamodb: new DynamoDBClient({ ...as, endpoint: dynamodbEndpoint }),
    managementApi: new ApiGatewayManagementApiClient({ ...as, endpoint: managementEndpoint }),
  };
  return new RelayBackend({ topicArn, tableName, managementEndpoint, historyTableName, clients });
}

/** How often pollers have asked for a queue's attributes. */
export async function watches(relay: Relay): Promise<number> {
  const authorizations = await relay.controlled<Authorization[]>("/authorizations");
  return authorizations
    .filter(({ principal, decision }) => principal.includes(":assumed-role/") && decision === "allowed")
    .filter(({ action }) => action === "sqs:GetQueueAttributes")
    .reduce((sum, { calls }) => sum + calls, 0);
}

async function connectionOf(relay: Relay, to: Recipient): Promise<string> {
  return (await relay.session(to))?.connection_id?.S ?? "";
}

/** Opens a connection whose row cannot be saved, and expects that it leaves no lookup. */
export async function refusedWithoutTrace(relay: Relay, to: Recipient, subprotocols?: string[]): Promise<void> {
  const from = relay.lines.length;
  const headers = { authorization: `Bearer ${await relay.token(to.user)}` };
  expect((await relay.handshake(relay.url(to), { headers }, subprotocols)).status).to.equal(500);
  const line = await relay.line((each) => each.includes("the session's row has changed"), from);
  const [, connectionId = ""] = /"connectionId":"([^"]+)"/.exec(line) ?? [];
  expect(connectionId).not.to.equal("");
  expect(await relay.table.lookup(connectionId)).to.equal(undefined);
}

/** The ids of all connections of the session. */
export async function idsIn(relay: Relay, to: Recipient): Promise<string[]> {
  return Object.keys((await relay.session(to))?.connections?.M ?? {});
}

/** Cuts a client's connection, and resolves when the gateway knows it; no `$disconnect` is delivered. */
export async function loseConnection(relay: Relay, client: Client, connectionId: string): Promise<void> {
  await relay.fault({ disconnects: "lose" });
  client.socket.terminate();
  while ((await relay.management("GET", connectionId)).status !== 410) await pause();
  await relay.fault({ disconnects: "deliver" });
}
