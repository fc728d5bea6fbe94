import { isObject } from "../handlers/isObject";

/** Where a relay is, as `pulumi stack output --json` and `npm start -- --json` say it. */
export type RelayAddresses = Readonly<Record<string, unknown>>;

/** What the commands ask of the addresses. */
const addressKeys = [
  "topicArn",
  "queueUrl",
  "deadLetterQueueUrl",
  "subscriptionDeadLetterQueueUrl",
  "tableName",
  "managementEndpoint",
] as const;

export type AddressKey = (typeof addressKeys)[number];

export interface AddressOptions {
  /** A file of JSON, or `-` for what is piped in. */
  addresses?: string;
  /** The stack whose outputs are asked for. */
  stack?: string;
  /** The output, or the key of the JSON, that holds the addresses. @default the only one that does */
  output?: string;
}

/** Where addresses can be read from. */
export interface AddressSources {
  readFile(path: string): Promise<string>;
  readStdin(): Promise<string>;
  /** The JSON of `pulumi stack output`. @throws in words for people. */
  stackOutput(stack?: string): Promise<string>;
}

/**
 * The addresses of one relay: all outputs together, or one output that holds them.
 *
 * @throws where there are none, or those of several relays, saying what to give.
 */
export async function readAddresses(options: AddressOptions, sources: AddressSources): Promise<RelayAddresses> {
  const { addresses: file, stack, output } = options;
  const origin = file === undefined ? "pulumi stack output" : file === "-" ? "what was piped in" : file;
  const json = await (file === undefined
    ? sources.stackOutput(stack)
    : file === "-"
      ? sources.readStdin()
      : sources.readFile(file));
  const all = objectOf(json, origin);
  if (output === undefined) return isComplete(all) ? all : (onlyRelayOf(all, origin) ?? all);
  const nested = all[output];
  if (isObject(nested)) return nested;
  throw new Error(
    `--output: got ${JSON.stringify(output)}, under which ${origin} has no object; ` +
      `allowed: ${names(all) || "nothing, for there is none"}. Export the relay's addresses: ` +
      "export const { addresses } = relay",
  );
}

/** The relay that one output holds, where it is the only one. Two outputs may hold the same relay. */
function onlyRelayOf(all: RelayAddresses, origin: string): RelayAddresses | undefined {
  const relays = Object.entries(all).filter((entry): entry is [string, RelayAddresses] => isComplete(entry[1]));
  const queues = new Set(relays.map(([, { queueUrl }]) => queueUrl));
  if (queues.size <= 1) return relays[0]?.[1];
  const keys = relays.map(([key]) => key);
  throw new Error(
    `${origin} has the addresses of ${queues.size} relays, in ${keys.join(", ")}: ` +
      `say which with --output, such as --output ${keys[0]}`,
  );
}

function isComplete(value: unknown): value is RelayAddresses {
  return isObject(value) && addressKeys.every((key) => typeof value[key] === "string");
}

/** One address. @throws where it is missing, saying where else it may be. */
export function addressOf(addresses: RelayAddresses, key: AddressKey): string {
  const value = addresses[key];
  if (typeof value === "string" && value !== "") return value;
  const nested = Object.keys(addresses).filter((name) => isObject(addresses[name]) && key in addresses[name]);
  const hint =
    nested.length > 0
      ? `It is nested: give --output ${nested.join(" or --output ")}.`
      : "Export the relay's addresses from the program, or give them as JSON with --addresses FILE.";
  throw new Error(
    `the addresses have no ${key} (they have: ${Object.keys(addresses).join(", ") || "nothing"}). ${hint}`,
  );
}

/** An address that only the local run has. */
export function localAddressOf(addresses: RelayAddresses, key: string): string | undefined {
  const value = addresses[key];
  return typeof value === "string" ? value : undefined;
}

function objectOf(json: string, origin: string): RelayAddresses {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw new Error(
      `${origin} is not JSON (${(error as Error).message}): give what npm start --silent -- --json or ` +
        "pulumi stack output --json prints",
      { cause: error },
    );
  }
  if (isObject(value)) return value;
  throw new Error(`${origin} is JSON, but not an object of addresses`);
}

function names(all: RelayAddresses): string {
  return Object.keys(all)
    .filter((name) => isObject(all[name]))
    .join(", ");
}
