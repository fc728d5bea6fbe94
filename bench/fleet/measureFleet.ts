import { type IdleMeasurement, measureIdleClient } from "../idleClient";
import {
  type AwayMeasurement,
  type FloodMeasurement,
  measureAway,
  measureDeliver,
  measureFlood,
  type ThroughputMeasurement,
} from "./deliveries";
import { ASSUMED_MS } from "./limits";
import { measureReconnect, type ReconnectMeasurement } from "./reconnect";

/** How large the simulated load is. */
export interface FleetTimes {
  /** Clients of the large fleet, and how many of them are whole ones. */
  clients: number;
  wholeClients: number;
  idleDays: number;
  /** Messages of each run of `deliver`. */
  messages: number;
  flood: { messages: number; others: number; seconds: number };
}

export interface FleetMeasurement {
  assumedMs: typeof ASSUMED_MS;
  reconnect: {
    large: ReconnectMeasurement;
    /** The same, if a refused handshake takes one of the account's requests, and others need 2,000 a second. */
    largeCounted: ReconnectMeasurement;
    small: ReconnectMeasurement;
    /** The small fleet after an outage of ten minutes. */
    smallAfterOutage: ReconnectMeasurement;
    /** With the ten concurrent executions that a new account may have. */
    newAccount: ReconnectMeasurement;
  };
  idle: IdleMeasurement;
  /** Messages to one session, by the batch size. */
  hotUser: Record<"batchesOf10" | "batchesOf100", ThroughputMeasurement>;
  deliver: Record<"retry" | "replay", ThroughputMeasurement>;
  away: AwayMeasurement;
  flood: Record<"grouped" | "ungrouped" | "manyUsers", FloodMeasurement>;
}

const SMALL_FLEET = 1_000;
const OUTAGE_MS = 600_000;
const OTHER_REQUESTS_PER_SECOND = 2_000;
const NEW_ACCOUNT_EXECUTIONS = 10;

/** What each part of a relay carries: its real code in virtual time, behind models of the services' documented limits. */
export async function measureFleet(times: FleetTimes): Promise<FleetMeasurement> {
  const { clients, wholeClients, idleDays, messages, flood } = times;
  const otherRequestsPerSecond = OTHER_REQUESTS_PER_SECOND;
  const small = { clients: SMALL_FLEET, wholeClients: SMALL_FLEET };
  const flooded = { ...flood, users: 1, grouped: true };
  const reconnect = {
    large: await measureReconnect({ clients, wholeClients, otherRequestsPerSecond }),
    largeCounted: await measureReconnect({ clients, wholeClients, otherRequestsPerSecond, countsRefused: true }),
    small: await measureReconnect(small),
    smallAfterOutage: await measureReconnect({ ...small, outageMs: OUTAGE_MS }),
    newAccount: await measureReconnect({ ...small, concurrentExecutions: NEW_ACCOUNT_EXECUTIONS }),
  };
  console.error(`bench: ${clients} clients reconnected`);
  return {
    assumedMs: ASSUMED_MS,
    reconnect,
    idle: await measureIdleClient(idleDays),
    hotUser: {
      batchesOf10: await measureDeliver("replay", 1, messages),
      batchesOf100: await measureDeliver("replay", 1, messages, { batchSize: 100 }),
    },
    deliver: {
      retry: await measureDeliver("retry", 1_000, messages),
      replay: await measureDeliver("replay", 1_000, messages),
    },
    away: await measureAway(messages / 50),
    flood: {
      grouped: await measureFlood(flooded),
      ungrouped: await measureFlood({ ...flooded, grouped: false }),
      manyUsers: await measureFlood({ ...flooded, users: 1_000 }),
    },
  };
}
