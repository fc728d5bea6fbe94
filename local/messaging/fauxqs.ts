import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

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
  SqsStore: { new (): SqsStore; createMessage(body: string, attributes?: MessageAttributes): SqsMessage };
  SnsStore: new () => SnsStore;
}

/**
 * What SQS refuses in a body; fauxqs refuses every emoji as well.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
 */
const invalidCharacter = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/u;

/**
 * fauxqs, and the classes of the stores it can be given. Its `exports` list only the entry, although `buildApp` takes
 * the stores: they are reached by file. The version is pinned, and a test fails where they are no longer there.
 */
export async function loadFauxqs(): Promise<{ buildApp: Fauxqs["buildApp"] } & StoreClasses> {
  const folder = require.resolve
    .paths("fauxqs")
    ?.map((modules) => join(modules, "fauxqs"))
    .find((candidate) => existsSync(join(candidate, "package.json")));
  if (!folder) throw new Error("fauxqs is not installed: run npm install");
  const load = (file: string) => import(pathToFileURL(join(folder, file)).href) as Promise<unknown>;
  const [{ buildApp }, { SqsStore }, { SnsStore }, { INVALID_MESSAGE_BODY_CHAR }] = (await Promise.all([
    import("fauxqs"),
    load("dist/sqs/sqsStore.js"),
    load("dist/sns/snsStore.js"),
    load("dist/sqs/sqsTypes.js"),
  ])) as [
    Fauxqs,
    Pick<StoreClasses, "SqsStore">,
    Pick<StoreClasses, "SnsStore">,
    { INVALID_MESSAGE_BODY_CHAR: RegExp },
  ];
  INVALID_MESSAGE_BODY_CHAR.test = (body) => invalidCharacter.test(body);
  return { buildApp, SqsStore, SnsStore };
}
