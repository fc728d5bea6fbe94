import { Child } from "./childProcess";
import { median, percentile, rounded } from "./median";
import type { RecoveryTimes } from "./reception";

/** The messages that a client misses while its connection is broken. */
export interface Missed {
  bodies: readonly string[];
}

/** A server and its reconnecting clients. */
export interface Player {
  /** Prepares a client that has received one message and then misses others. */
  prepare(missed: Missed): Promise<Recoverable>;
}

export interface Recoverable {
  /** Connects after an abrupt loss of the connection, and measures the arrival of the missed messages; can be repeated. */
  reconnect(): Promise<RecoveryTimes>;
  end(): void;
}

export type PlayerName = "relay" | "socketIo";

/** Reconnects of both clients, in turn, in one process, to servers in their own processes. */
export interface RecoveryRequest {
  missed: number;
  bodyBytes: number;
  /** Number of users who miss messages, one after the other, and of reconnects of each. */
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

/** Notes for a comparison of the two. */
export const RECOVERY_NOTES = [
  "Both clients run in one process over the same WebSocket implementation (ws) without compression, in turn; the time runs from the open event of the WebSocket, before either library sends anything, to the call of the user's listener.",
  "The relay's client is the library; its messages take the real path: API, resume function in its own process, table, management API. All of these are emulated on one machine: no network, no TLS, no cold start.",
  "Socket.IO keeps missed messages in the memory of its single server process, here for two minutes, and sends them without a lookup; each user has a namespace, so that it does not search the messages of others. It loses them with the process, and on a second server without a shared adapter.",
  "Socket.IO sends one frame per message, the relay packs messages into frames of up to 128 KB. The relay's client acknowledges messages and orders them by number; Socket.IO's does neither.",
  "The relay's messages are published to its topic once per user; each reconnect is a new client with the cursor from before these messages, like a restarted app. Socket.IO emits them again for each reconnect of the same client.",
  "Messages are stored before the client reconnects: the time does not include publishing.",
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
