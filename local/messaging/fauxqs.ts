import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { invalidCharacterOf } from "./messageRules";

type Fauxqs = typeof import("fauxqs", { with: { "resolution-mode": "import" } });
type Stores = NonNullable<NonNullable<Parameters<Fauxqs["buildApp"]>[0]>["stores"]>;

export type SqsStore = Stores["sqsStore"];
export type SnsStore = Stores["snsStore"];
export type SqsQueue = ReturnType<SqsStore["createQueue"]>;
export type SnsSubscription = NonNullable<ReturnType<SnsStore["getSubscription"]>>;
export type SqsMessage = Parameters<SqsQueue["enqueue"]>[0];
export type MessageAttributes = SqsMessage["messageAttributes"];

/** A message as fauxqs announces it before it goes to a topic's subscriptions. */
export interface Publication {
  topicArn: string;
  messageId: string;
  body: string;
  messageAttributes: MessageAttributes;
}

export interface StoreClasses {
  SqsStore: new () => SqsStore;
  SnsStore: new () => SnsStore;
}

/** Attributes that SQS lets clients set and read, and fauxqs does not. */
const unknownAttributes = ["RedriveAllowPolicy", "SqsManagedSseEnabled", "DeduplicationScope", "FifoThroughputLimit"];

/**
 * fauxqs, and the classes of the stores it can be given. Its `exports` list only the entry, although `buildApp` takes
 * the stores: they are reached by file. The version is pinned, and a test fails if they have moved.
 */
export async function loadFauxqs(): Promise<{ buildApp: Fauxqs["buildApp"] } & StoreClasses> {
  const folder = require.resolve
    .paths("fauxqs")
    ?.map((modules) => join(modules, "fauxqs"))
    .find((candidate) => existsSync(join(candidate, "package.json")));
  if (!folder) throw new Error("fauxqs is not installed: run npm install");
  const load = (file: string) => import(pathToFileURL(join(folder, file)).href) as Promise<unknown>;
  const [{ buildApp }, { SqsStore }, { SnsStore }, sqsTypes] = (await Promise.all([
    import("fauxqs"),
    load("dist/sqs/sqsStore.js"),
    load("dist/sns/snsStore.js"),
    load("dist/sqs/sqsTypes.js"),
  ])) as [
    Fauxqs,
    Pick<StoreClasses, "SqsStore">,
    Pick<StoreClasses, "SnsStore">,
    { INVALID_MESSAGE_BODY_CHAR: RegExp; SETTABLE_ATTRIBUTES: Set<string>; ALL_ATTRIBUTE_NAMES: string[] },
  ];
  // fauxqs refuses every emoji as well.
  sqsTypes.INVALID_MESSAGE_BODY_CHAR.test = (body) => invalidCharacterOf(body) !== undefined;
  for (const name of unknownAttributes) {
    sqsTypes.SETTABLE_ATTRIBUTES.add(name);
    if (!sqsTypes.ALL_ATTRIBUTE_NAMES.includes(name)) sqsTypes.ALL_ATTRIBUTE_NAMES.push(name);
  }
  return { buildApp, SqsStore, SnsStore };
}
