import { isObject } from "../handlers/isObject";

/** The addresses of a relay, as `pulumi stack output --json` and `npm start -- --json` print them. */
export type RelayAddresses = Readonly<Record<string, unknown>>;

/** The addresses that the commands need. */
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
  /** A JSON file, or `-` for stdin. */
  addresses?: string;
  /** The stack whose outputs are read. @default the selected stack */
  stack?: string;
  /** The output, or the key of the JSON, that holds the addresses. @default the only one with addresses */
  output?: string;
}

/** The sources of addresses. */
export interface AddressSources {
  readFile(path: string): Promise<string>;
  readStdin(): Promise<string>;
  /** The JSON of `pulumi stack output`. @throws with a fix in the message. */
  stackOutput(stack?: string): Promise<string>;
}

/**
 * The addresses of one relay: all outputs together, or one output that holds them.
 *
 * @throws if there are none, or those of several relays, with a fix in the message.
 */
export async function readAddresses(options: AddressOptions, sources: AddressSources): Promise<RelayAddresses> {
  const { addresses: file, stack, output } = options;
  const origin = file === undefined ? "pulumi stack output" : file === "-" ? "stdin" : file;
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
    `--output: got ${JSON.stringify(output)}; ` +
      `allowed: ${names(all) || `an output that holds a relay's addresses (${origin} has none)`}. ` +
      "Fix: export const { addresses } = relay, and pass --output addresses",
  );
}

/** The relay of the only output with addresses. Two outputs may hold the same relay. */
function onlyRelayOf(all: RelayAddresses, origin: string): RelayAddresses | undefined {
  const relays = Object.entries(all).filter((entry): entry is [string, RelayAddresses] => isComplete(entry[1]));
  const queues = new Set(relays.map(([, { queueUrl }]) => queueUrl));
  if (queues.size <= 1) return relays[0]?.[1];
  const keys = relays.map(([key]) => key);
  throw new Error(
    `--output: got none, and ${origin} has the addresses of ${queues.size} relays; allowed: ${keys.join(", ")}. ` +
      `Fix: select one, such as --output ${keys[0]}`,
  );
}

function isComplete(value: unknown): value is RelayAddresses {
  return isObject(value) && addressKeys.every((key) => typeof value[key] === "string");
}

/** One address. @throws if it is missing, with a fix in the message. */
export function addressOf(addresses: RelayAddresses, key: AddressKey): string {
  const value = addresses[key];
  if (typeof value === "string" && value !== "") return value;
  const nested = Object.keys(addresses).filter((name) => isObject(addresses[name]) && key in addresses[name]);
  const fix =
    nested.length > 0
      ? `add --output ${nested.join(" or --output ")}, which has it`
      : "export the relay's addresses from the program, or pass them as JSON with --addresses FILE";
  throw new Error(
    `the addresses have no ${key}; got: ${Object.keys(addresses).join(", ") || "no addresses"}. Fix: ${fix}`,
  );
}

/** An address that only the local run has. */
export function localAddressOf(addresses: RelayAddresses, key: string): string | undefined {
  const value = addresses[key];
  return typeof value === "string" ? value : undefined;
}

const allowedJson =
  "allowed: a JSON object of addresses. Fix: pass the output of npm start --silent -- --json or of pulumi stack output --json";

function objectOf(json: string, origin: string): RelayAddresses {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw new Error(`${origin}: got text that is not JSON (${(error as Error).message}); ${allowedJson}`, {
      cause: error,
    });
  }
  if (isObject(value)) return value;
  const got = value === null ? "null" : Array.isArray(value) ? "a list" : `a ${typeof value}`;
  throw new Error(`${origin}: got ${got}; ${allowedJson}`);
}

function names(all: RelayAddresses): string {
  return Object.keys(all)
    .filter((name) => isObject(all[name]))
    .join(", ");
}
