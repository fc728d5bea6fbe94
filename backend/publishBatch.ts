import { setTimeout as pause } from "node:timers/promises";
import { PublishBatchCommand, type PublishBatchRequestEntry, type SNSClient } from "@aws-sdk/client-sns";
import { type Publication, type PublishInput, publishInput } from "./publication";
import { RelayInputError } from "./relayInputError";

/** What became of one publication of a batch. */
export interface PublishResult {
  /** The message's ID: the publication's own, or the random UUID that it got. */
  messageId: string;
  /**
   * Why the message was not published; absent if it was. `name` is SNS's code, the name of the SDK's error for the whole
   * request, after which the message may or may not have been published, or `EarlierMessageFailed`: an earlier message of
   * the same session, or with the same scope, was not published, and this one would have overtaken it.
   */
  error?: Error;
}

/** https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html */
const MAX_ENTRIES = 10;
const MAX_BYTES = 262_144;
/** Requests at one time: a fraction of the SDK's 50 sockets, which the program's other requests share. */
const MAX_PARALLEL = 8;
/** As often as the SDK tries a request by default. */
const MAX_ATTEMPTS = 3;
const BASE_DELAY_MS = 100;

/** One message on its way. */
interface Entry {
  index: number;
  /** Of its session or scope. Messages of a group are sent one request after the other. */
  group: string;
  bytes: number;
  attempts: number;
  request: PublishBatchRequestEntry;
}

/**
 * The checked messages of a batch.
 *
 * @throws RelayInputError with the index of the first invalid publication.
 */
export function batchInputs(publications: readonly Publication[], topicArn: string, now: Date): PublishInput[] {
  if (!Array.isArray(publications)) {
    const got = publications === null ? "null" : `of type ${typeof publications}`;
    const fix = "pass a list, or call publish for a single message";
    throw new RelayInputError("publications", `publications is ${got}`, "a list of publications", fix);
  }
  return Array.from(publications as readonly Publication[], (publication, index) => {
    try {
      return publishInput(publication, topicArn, now);
    } catch (error) {
      throw error instanceof RelayInputError ? error.at(index) : error;
    }
  });
}

export interface PublishInBatchesOptions {
  /**
   * Whether a message may be published after a later one of its session. @default unless the topic is FIFO: its subscribers rely
   * on the order
   */
  mayOvertake?: boolean;
  /** Waits before another attempt. @default a timer */
  wait?: (ms: number) => Promise<unknown>;
}

/** Publishes the messages in as few requests as SNS allows. Results are in the order of the messages. */
export async function publishInBatches(
  sns: Pick<SNSClient, "send">,
  topicArn: string,
  inputs: readonly PublishInput[],
  { mayOvertake = !topicArn.endsWith(".fifo"), wait = pause }: PublishInBatchesOptions = {},
): Promise<PublishResult[]> {
  const results: PublishResult[] = inputs.map(({ messageId }) => ({ messageId }));
  let pending = inputs.map(entryOf);
  const busy = new Set<string>();
  const running = new Set<Promise<void>>();

  const publish = async (batch: readonly Entry[]): Promise<void> => {
    const { failed, retried } = await attempt(sns, topicArn, batch, mayOvertake);
    for (const { entry, error } of failed) results[entry.index] = { ...resultOf(entry), error };
    const failedGroups = new Set(failed.map(({ entry }) => entry.group));
    const isHeldBack = ({ group }: Entry) => failedGroups.has(group);
    for (const entry of [...retried, ...pending].filter(isHeldBack)) {
      results[entry.index] = { ...resultOf(entry), error: heldBackError() };
    }
    pending = pending.filter((entry) => !isHeldBack(entry));
    const again = retried.filter((entry) => !isHeldBack(entry));
    if (again.length > 0) await wait(Math.random() * BASE_DELAY_MS * 2 ** ((again[0]?.attempts ?? 1) - 1));
    pending = [...again, ...pending];
    for (const { group } of batch) busy.delete(group);
  };
  const resultOf = ({ index }: Entry) => results[index] as PublishResult;

  for (;;) {
    const batch = running.size < MAX_PARALLEL ? nextBatch(pending, busy) : [];
    if (batch.length > 0) {
      const taken = new Set(batch);
      pending = pending.filter((entry) => !taken.has(entry));
      for (const { group } of batch) busy.add(group);
      const request: Promise<void> = publish(batch).finally(() => running.delete(request));
      running.add(request);
    } else if (running.size > 0) {
      await Promise.race(running);
    } else {
      return results;
    }
  }
}

function entryOf({ input }: PublishInput, index: number): Entry {
  const { Message, MessageAttributes, MessageGroupId, MessageDeduplicationId } = input;
  const attributes = Object.entries(MessageAttributes ?? {});
  const texts = attributes.flatMap(([name, { DataType, StringValue }]) => [name, DataType, StringValue]);
  return {
    index,
    group: MessageGroupId ?? "",
    // SNS counts the attributes, too.
    bytes: [Message, ...texts].reduce((sum, text = "") => sum + Buffer.byteLength(text), 0),
    attempts: 0,
    request: { Id: String(index), Message, MessageAttributes, MessageGroupId, MessageDeduplicationId },
  };
}

/** The next messages that fit into one request, without those of sessions that are being published. */
function nextBatch(pending: readonly Entry[], busy: ReadonlySet<string>): Entry[] {
  const batch: Entry[] = [];
  const waiting = new Set(busy);
  let bytes = 0;
  for (const entry of pending) {
    if (batch.length === MAX_ENTRIES) break;
    if (waiting.has(entry.group)) continue;
    if (bytes + entry.bytes > MAX_BYTES) {
      // A later, smaller message of its session must not overtake it.
      waiting.add(entry.group);
      continue;
    }
    batch.push(entry);
    bytes += entry.bytes;
  }
  return batch;
}

/** Sends one request. `retried` are the messages that are worth another one. */
async function attempt(
  sns: Pick<SNSClient, "send">,
  topicArn: string,
  batch: readonly Entry[],
  mayOvertake: boolean,
): Promise<{ failed: { entry: Entry; error: Error }[]; retried: Entry[] }> {
  const failed: { entry: Entry; error: Error }[] = [];
  const retried: Entry[] = [];
  try {
    const PublishBatchRequestEntries = batch.map(({ request }) => request);
    const { Successful = [], Failed = [] } = await sns.send(
      new PublishBatchCommand({ TopicArn: topicArn, PublishBatchRequestEntries }),
    );
    const published = new Set(Successful.map(({ Id }) => Id));
    batch.forEach((entry, position) => {
      if (published.has(entry.request.Id)) return;
      const failure = Failed.find(({ Id }) => Id === entry.request.Id);
      entry.attempts += 1;
      const isOvertaken =
        !mayOvertake &&
        batch.slice(position + 1).some(({ group, request }) => group === entry.group && published.has(request.Id));
      if (failure?.SenderFault !== true && entry.attempts < MAX_ATTEMPTS && !isOvertaken) retried.push(entry);
      else failed.push({ entry, error: snsError(failure?.Code, failure?.Message) });
    });
  } catch (error) {
    // The SDK has tried it several times.
    failed.push(...batch.map((entry) => ({ entry, error: error instanceof Error ? error : new Error(String(error)) })));
  }
  return { failed, retried };
}

function snsError(code = "NoAnswer", message = `SNS did not publish the message: ${code}`): Error {
  return Object.assign(new Error(message), { name: code });
}

function heldBackError(): Error {
  const error = new Error(
    "not published, because an earlier message of its session or scope was not. Fix: publish all messages with an error again, in order " +
      "and with the same messageId",
  );
  return Object.assign(error, { name: "EarlierMessageFailed" });
}
