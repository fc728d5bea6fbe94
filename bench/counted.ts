import { hasStreams } from "./adapters";
import { INCOMPRESSIBLE } from "./bodies";
import { deployedFunctions, type Mode } from "./deployed";
import { BenchRelay } from "./relay";
import { relayConfig } from "./relayConfig";
import { type Days, type Profile, Scenarios } from "./scenarios";
import { measureSequentialCalls, type SequentialCallsMeasurement } from "./sequentialCalls";
import { measureStreamTimes, type StreamTimes, type StreamTimesMeasurement } from "./streamTimes";
import type { SystemLogLevels, Tally } from "./tally";

/** What one commit's functions did for messages and connections. */
export interface Counted {
  replay: {
    delivered?: Days;
    incompressible?: Days;
    batch?: Days;
    chunks?: Profile;
    streams?: { stream: Tally; messages: Tally };
    held?: Days;
    connection?: Tally;
  };
  retry: { delivered?: Days; failedAttempt?: Tally; connection?: Tally };
  sequentialCalls?: SequentialCallsMeasurement;
  streamTimes?: StreamTimesMeasurement;
}

export const COUNTED_ROWS = [
  "delivered",
  "batch",
  "chunks",
  "streams",
  "held",
  "retry",
  "connection",
  "sequential",
] as const;
export type CountedRow = (typeof COUNTED_ROWS)[number];

export interface CountedTimes {
  batches: number;
  chunks: number;
  /** Of an answer that is streamed, and sent as messages. */
  tokens: number;
  connections: number;
  reconnects: number;
  streamTimes: StreamTimes;
}

/** The clocks of gateway and queues run this much faster: a back-off of a minute takes two seconds. */
const TIME_SCALE = 30;

const MESSAGES_PER_RETURN = 10;
const FAILED_ATTEMPTS = 5;

/** Counts the work of whole relays, each a local run in its own process. */
export async function measureCounted(rows: readonly CountedRow[], times: CountedTimes): Promise<Counted> {
  const counted: Counted = { replay: {}, retry: {} };
  const has = (...asked: CountedRow[]) => asked.some((row) => rows.includes(row));

  if (has("delivered", "batch", "chunks", "streams", "held", "connection", "sequential")) {
    await withRelay("replay", async (scenarios, relay) => {
      const { replay } = counted;
      if (has("delivered")) {
        replay.delivered = await scenarios.delivered("delivered-replay");
        replay.incompressible = await scenarios.delivered("incompressible-replay", INCOMPRESSIBLE);
      }
      if (has("held")) replay.held = await scenarios.held(MESSAGES_PER_RETURN);
      if (has("batch")) replay.batch = await scenarios.deliveredInBatches(times.batches);
      if (has("chunks")) replay.chunks = await scenarios.streamed(times.chunks);
      if (has("streams") && hasStreams()) {
        replay.streams = {
          stream: await scenarios.answered("stream", times.tokens),
          messages: await scenarios.answered("messages", times.tokens),
        };
      }
      if (has("connection")) replay.connection = await scenarios.connections(times.connections);
      // Last: their messages are not swept, and would be counted as those of another scenario.
      if (has("sequential")) counted.sequentialCalls = await measureSequentialCalls(relay, times.reconnects, 10);
      if (has("streams") && hasStreams()) counted.streamTimes = await measureStreamTimes(relay, times.streamTimes);
    });
  }
  if (has("retry", "connection")) {
    await withRelay("retry", async (scenarios) => {
      const { retry } = counted;
      if (has("retry")) {
        retry.delivered = await scenarios.delivered("delivered-retry");
        retry.failedAttempt = await scenarios.failedAttempts(FAILED_ATTEMPTS);
      }
      if (has("connection")) retry.connection = await scenarios.connections(times.connections);
    });
  }
  console.error(`bench: counted ${rows.join(", ")}`);
  return counted;
}

async function withRelay(mode: Mode, play: (scenarios: Scenarios, relay: BenchRelay) => Promise<void>): Promise<void> {
  const functions = await deployedFunctions(mode);
  const levels: SystemLogLevels = Object.fromEntries(
    Object.entries(functions).map(([name, { systemLogLevel }]) => [name, systemLogLevel]),
  );
  const relay = await BenchRelay.start({ config: relayConfig(mode), recorded: true, timeScale: TIME_SCALE });
  try {
    await play(new Scenarios(relay, mode, levels), relay);
  } finally {
    await relay.stop();
  }
}
