import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { WebSocket } from "ws";
import { type Cursor, RelayClient, type WebSocketConstructor } from "../../client";
import { type Fault, faults, faultySocket, type Frame } from "./faults";

/**
 * `RelayClient` under the contract of docs/conformance.md. With the ID of a requirement as its argument, it is wrong in the one
 * thing that this requirement is about.
 */
const { env } = process;
const fault: Partial<Fault> = faults[process.argv[2] ?? ""] ?? {};
const given = (name: string): string => env[name] ?? "";

/** Prints a line. */
function tell(line: Frame): void {
  if (fault.silent?.(line)) return;
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

const cursorFile = join(given("RELAY_STATE_FOLDER"), "cursor.json");
const fileStore = {
  get: () => {
    try {
      return JSON.parse(readFileSync(cursorFile, "utf8")) as Cursor;
    } catch {
      return undefined;
    }
  },
  set: (cursor: Cursor) => {
    mkdirSync(given("RELAY_STATE_FOLDER"), { recursive: true });
    writeFileSync(cursorFile, JSON.stringify(cursor));
  },
};

const handleMs = Number(env.RELAY_HANDLE_MS ?? 0);
const connectionSeconds = Number(env.RELAY_CONNECTION_SECONDS ?? 7_200);

async function handle({ seq, body }: { seq?: number; body: string }): Promise<void> {
  if (handleMs > 0) await pause(handleMs);
  tell({ type: "message", seq, body });
}

const client = new RelayClient({
  url: given("RELAY_URL"),
  context: given("RELAY_CONTEXT"),
  contextId: given("RELAY_CONTEXT_ID"),
  token: async () => (await fetch(given("RELAY_TOKEN_URL"))).text(),
  from: env.RELAY_FROM === "oldest" ? "oldest" : "acknowledged",
  WebSocket: faultySocket(WebSocket, fault, tell) as WebSocketConstructor,
  cursorStore: fault.forgets ? undefined : fileStore,
  onMessage: (message) => {
    const handled = handle(message);
    return fault.awaits === false ? undefined : handled;
  },
  onStream: ({ id, offset, text, status }) => tell({ type: "stream", id, offset, text, status }),
  onGap: ({ first, lost }) => tell({ type: "gap", first, lost }),
  onExpired: ({ seq }) => tell({ type: "expired", seq }),
  onError: (error) => console.error(error.message),
  onStateChange: (state) => {
    if (state !== "superseded") return;
    tell({ type: "superseded" });
    if (fault.returns) client.connect();
    else end();
  },
  maxConnectionMs: connectionSeconds * 1_000,
  // Soon, so that the tests do not wait.
  heartbeatIntervalMs: 1_500,
  heartbeatTimeoutMs: 1_500,
  resumeTimeoutMs: 3_000,
  ...fault.options,
});

/** What is still being sent is sent before the process ends: nothing else keeps it. */
function end(): void {
  client.close();
  process.stdin.destroy();
}

process.stdin.on("end", end).resume();
client.connect();
