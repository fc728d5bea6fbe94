import { Child } from "./childProcess";
import { median, percentile, rounded } from "./median";
import type { RecoveryTimes } from "./reception";

/** What a client misses while its connection is broken. */
export interface Missed {
  count: number;
  body: string;
}

/** A server, and the clients that find it again. */
export interface Player {
  /** A client that has got one message and then misses others. */
  prepare(missed: Missed): Promise<Recoverable>;
}

export interface Recoverable {
  /** Connects after the connection was broken off abruptly, and measures how what was missed arrives; any number of times. */
  reconnect(): Promise<RecoveryTimes>;
  end(): void;
}

export type PlayerName = "relay" | "socketIo";

/** Reconnects of both, in turn, in one process, to servers that are processes of their own. */
export interface RecoveryRequest {
  missed: number;
  bodyBytes: number;
  /** Users who miss messages, one after the other, and how often each comes back for them. */
  users: number;
  reconnectsPerUser: number;
}
export type RecoveryAnswer = Record<PlayerName, RecoveryTimes[]>;

export interface RecoveryMeasurement {
  missedMessages: number;
  bodyBytes: number;
  reconnects: number;
  relay: Times;
  socketIo: Times;
}

interface Times {
  /** Milliseconds from the transport's `open` to the first missed message, and to the last one. */
  firstMissedMs: Percentiles;
  allMissedMs: Percentiles;
}

interface Percentiles {
  p50: number;
  p99: number;
  max: number;
}

/** What has to be known to compare the two. */
export const RECOVERY_NOTES = [
  "Both clients run in one process over the same WebSocket implementation (ws) without compression, their rounds in turn; the time runs from the WebSocket's own open event, before either library has said anything, to the call of the user's listener.",
  "The relay's client is the library; its messages go the real way: API, resume function in a process of its own, table, management API. It listens to an emulator of these on one machine: no network, no TLS, no cold start.",
  "Socket.IO keeps what was missed in its one server process's memory, for two minutes here, and sends it without asking anybody; each user has a namespace, so that it searches no other's messages. It loses them with its process, and on a second server without a shared adapter.",
  "Socket.IO sends one frame for each message, the relay packs as many as 128 KB hold. The relay's client acknowledges, and orders by number; Socket.IO's has neither.",
  "The relay's messages are published to its topic, once for each user; each reconnect is then a new client with the cursor from before them, as an app that was restarted. Socket.IO emits them anew for each reconnect of the same client.",
  "Messages are stored before the client reconnects: what is measured is the way back, not the publishing.",
] as const;

export async function measureRecovery(
  requests: Record<"many" | "few", RecoveryRequest>,
): Promise<{ many: RecoveryMeasurement; few: RecoveryMeasurement; notes: readonly string[] }> {
  const player = Child.start<RecoveryRequest | { end: true }, RecoveryAnswer>("recoveryProcess.ts");
  try {
    const measure = async (request: RecoveryRequest) => {
      const measurement = measurementOf(request, await player.ask(request));
      console.error(`bench: recovered ${request.missed} messages ${measurement.reconnects} times, each way`);
      return measurement;
    };
    const measured = { many: await measure(requests.many), few: await measure(requests.few), notes: RECOVERY_NOTES };
    await player.ask({ end: true });
    return measured;
  } finally {
    await player.stop();
  }
}

function measurementOf({ missed, bodyBytes }: RecoveryRequest, times: RecoveryAnswer): RecoveryMeasurement {
  const of = (taken: RecoveryTimes[]): Times => ({
    firstMissedMs: percentiles(taken.map(({ firstMs }) => firstMs)),
    allMissedMs: percentiles(taken.map(({ allMs }) => allMs)),
  });
  return {
    missedMessages: missed,
    bodyBytes,
    reconnects: times.relay.length,
    relay: of(times.relay),
    socketIo: of(times.socketIo),
  };
}

function percentiles(values: number[]): Percentiles {
  return {
    p50: rounded(median(values), 1),
    p99: rounded(percentile(values, 0.99), 1),
    max: rounded(Math.max(...values), 1),
  };
}
