import type { Mode } from "./deployed";
import { Reception } from "./reception";
import { type BenchRelay, until } from "./relay";
import { missMessages, PlayedClient } from "./relayPlayer";
import { type Tally, tallyOf } from "./tally";

/** 1 KB, the estimate's default. */
const BODY = "x".repeat(1024);

/** As with a quiet client: each message is acknowledged separately. */
const ackAtOnce = { ackDelayMs: 0 };

const historyOf = ({ addresses }: BenchRelay) => addresses.historyTableName;

/** Messages to a connected client, one at a time; in replay mode each is acknowledged separately. */
export async function tallyDelivered(relay: BenchRelay, mode: Mode, messages: number): Promise<Tally> {
  const user = `delivered-${mode}`;
  const reception = new Reception();
  const client = await PlayedClient.connect(relay, user, reception, undefined, ackAtOnce);
  const deliverOne = async (seq: number) => {
    const arrived = reception.received(1);
    await relay.publish(user, BODY, 1);
    await arrived;
    await relay.untilQueueIsEmpty();
    if (mode === "replay") await relay.untilAcknowledged(user, seq);
  };
  // The first message starts the functions, and finds no tail.
  await deliverOne(1);
  await relay.record();
  for (let seq = 2; seq <= messages + 1; seq++) await deliverOne(seq);
  const recording = await relay.recorded();
  await leave(relay, client, user);
  return tallyOf(recording, messages, ["deliver", "acknowledge"], historyOf(relay));
}

/** Connections that open, resume in replay mode, and end. */
export async function tallyConnections(relay: BenchRelay, mode: Mode, connections: number): Promise<Tally> {
  await relay.record();
  for (let index = 0; index < connections; index++) {
    const user = `connected-${mode}-${index}`;
    const client = await PlayedClient.connect(relay, user, new Reception());
    await leave(relay, client, user);
  }
  const recording = await relay.recorded();
  return tallyOf(recording, connections, ["connect", "disconnect", "resume"], historyOf(relay));
}

/** Retry mode: failed attempts of one message to a user who is away. */
export async function tallyFailedAttempts(relay: BenchRelay, attempts: number): Promise<Tally> {
  await relay.record();
  await relay.publish("away", BODY, 1);
  await until(async () => (await relay.metric("Retried")) >= attempts);
  const recording = await relay.recorded();
  await relay.purgeQueue();
  return tallyOf(recording, recording.invocations.deliver ?? 0, ["deliver"]);
}

/** Replay mode: messages that are published one by one while their user is away, then received together on the return, and acknowledged. */
export async function tallyMissed(relay: BenchRelay, messages: number): Promise<Tally> {
  const user = `missed-${messages}`;
  const cursor = await missMessages(relay, user, BODY, 0);
  await relay.record();
  for (let message = 1; message <= messages; message++) {
    await relay.publish(user, BODY, 1);
    await relay.untilStored(user, 1 + message);
  }
  const reception = new Reception();
  const arrived = reception.received(messages);
  const client = await PlayedClient.connect(relay, user, reception, cursor, { ackDelayMs: 100 });
  await arrived;
  await relay.untilAcknowledged(user, 1 + messages);
  const recording = await relay.recorded();
  await leave(relay, client, user);
  return tallyOf(recording, messages, ["deliver", "resume", "acknowledge"], historyOf(relay));
}

/** Replay mode: the deletion of acknowledged messages after their retention. */
export async function tallyExpired(relay: BenchRelay, messages: number): Promise<Tally> {
  const user = "expired";
  await missMessages(relay, user, BODY, messages - 1);
  const client = await PlayedClient.connect(relay, user, new Reception(), undefined, ackAtOnce);
  await relay.untilAcknowledged(user, messages);
  await leave(relay, client, user);
  await relay.record();
  await relay.age(user);
  await until(async () => (await relay.entries(user)) === 1);
  const { calls } = await relay.recorded();
  // The sweeper queries the index every minute, with or without due messages. Only these reads are not consistent, which halves their units.
  const ofMessages = calls.filter(({ operation, units }) => operation !== "Query" || units?.read !== 0.5);
  return tallyOf({ calls: ofMessages, invocations: {} }, messages, ["expire"], historyOf(relay));
}

/** Waits for the end of the connection, so that it is not recorded in the next tally. */
async function leave(relay: BenchRelay, client: PlayedClient, user: string): Promise<void> {
  client.close();
  await relay.untilGone(user);
}
