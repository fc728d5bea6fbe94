import type { CountedTimes } from "./counted";
import type { FanOutTimes } from "./fanOut";
import type { FleetTimes } from "./fleet/measureFleet";
import type { RawFleetRequest } from "./rawFleet";
import type { RecoveryRequest } from "./recovery";
import { PROFILE } from "./scenarios";

/** How often each measurement is repeated. */
export interface Times {
  processes: number;
  batches: number;
  /** With a connection, for the measurements of throughput. */
  users: number;
  rounds: number;
  messagesPerRound: number;
  replayRounds: number;
  replayMessagesPerRound: number;
  stubMessagesPerRound: number;
  fanOut: FanOutTimes;
  rawFleet: RawFleetRequest;
  fleet: FleetTimes;
  recovery: Record<"many" | "few", RecoveryRequest>;
  counted: CountedTimes;
  idleDays: number;
  contention: { messages: number; seconds: number };
  sweptSessions: number;
  propertyMessages: number;
}

export const FULL: Times = {
  processes: 21,
  batches: 20,
  users: 500,
  rounds: 10,
  messagesPerRound: 2_000,
  replayRounds: 6,
  replayMessagesPerRound: 500,
  stubMessagesPerRound: 2_000,
  fanOut: { batches: 20, rounds: 6, messagesPerRound: 200 },
  rawFleet: { clients: 100, held: 5, rounds: 3 },
  fleet: {
    clients: 1_000_000,
    wholeClients: 500,
    idleDays: 2,
    messages: 4_000,
    flood: { messages: 4_000, others: 100, seconds: 10 },
  },
  recovery: {
    many: { missed: 1_000, bodyBytes: 200, users: 3, reconnectsPerUser: 35 },
    few: { missed: 10, bodyBytes: 200, users: 3, reconnectsPerUser: 35 },
  },
  counted: {
    batches: PROFILE.messages,
    chunks: 500,
    tokens: 500,
    connections: 10,
    reconnects: 5,
    streamTimes: { firstTexts: 40, reconnects: 20 },
  },
  idleDays: 30,
  contention: { messages: 500, seconds: 10 },
  sweptSessions: 5_000,
  propertyMessages: 100_000,
};

/** The same in less than a minute, with too few repetitions for meaningful times. */
export const QUICK: Times = {
  processes: 1,
  batches: 2,
  users: 150,
  rounds: 1,
  messagesPerRound: 500,
  replayRounds: 1,
  replayMessagesPerRound: 50,
  stubMessagesPerRound: 500,
  fanOut: { batches: 2, rounds: 1, messagesPerRound: 20 },
  rawFleet: { clients: 10, held: 2, rounds: 1 },
  fleet: {
    clients: 5_000,
    wholeClients: 20,
    idleDays: 1,
    messages: 500,
    flood: { messages: 1_000, others: 10, seconds: 2 },
  },
  recovery: {
    many: { missed: 100, bodyBytes: 200, users: 1, reconnectsPerUser: 2 },
    few: { missed: 10, bodyBytes: 200, users: 1, reconnectsPerUser: 1 },
  },
  counted: {
    batches: 5,
    chunks: 50,
    tokens: 20,
    connections: 1,
    reconnects: 1,
    streamTimes: { firstTexts: 2, reconnects: 1 },
  },
  idleDays: 1,
  contention: { messages: 20, seconds: 0.4 },
  sweptSessions: 50,
  propertyMessages: 5_000,
};
