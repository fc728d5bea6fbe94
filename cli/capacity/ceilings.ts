import { spec } from "../../components/args/spec";
import type { Workload } from "../cost/workload";
import { HEADROOM } from "./assumed";
import type { Load } from "./load";
import { LIMITS } from "./quotas";

/** A limit that Service Quotas does not raise. */
export interface Ceiling {
  what: string;
  limit: number;
  unit: string;
  /** The load in the same unit; undefined if it depends on how messages are spread over sessions. */
  load?: number;
  /** What to do before the load reaches it. */
  remedy: string;
}

/** The limits that no quota raises, and the load that they are for. */
export function ceilingsOf(load: Load, { delivery, ordering }: Pick<Workload, "delivery" | "ordering">): Ceiling[] {
  const isReplay = delivery === "replay";
  const ceilings: (Ceiling | false)[] = [
    {
      what: "requests to one route",
      limit: spec.pingThrottlingRateLimit.max,
      unit: "per second",
      load: Math.max(
        load.heartbeats * HEADROOM,
        load.acknowledgements * HEADROOM,
        load.handshakes,
        load.resumes,
        load.httpReads * HEADROOM,
      ),
      remedy: "let clients send fewer heartbeats (--heartbeat-seconds), or divide the users among several relays",
    },
    {
      what: "invocations of deliver",
      limit: LIMITS.maximumConcurrency,
      unit: "at one time",
      load: load.concurrency.deliver * HEADROOM,
      remedy: "fill batches, or divide the users among several relays",
    },
    !isReplay && {
      what: "messages that wait in the retry queue",
      limit: LIMITS.messagesInFlight,
      unit: "at one time",
      load: load.waitingMessages,
      remedy: "use replay mode, which keeps them in a table, or ask AWS Support for more",
    },
    newTable("session", load.sessionWriteUnits, load.sessionReadUnits),
    isReplay && newTable("history", load.historyWriteUnits, load.historyReadUnits),
    ordering === "strict" && {
      what: "messages of one session, with strict order",
      limit: LIMITS.messagesPerFifoGroup,
      unit: "per second",
      remedy: "spread them over several contexts",
    },
  ];
  return ceilings.filter((ceiling) => ceiling !== false);
}

/** A new table takes so many write units, three times as many read units, or a mix of both. */
function newTable(name: string, writeUnits: number, readUnits: number): Ceiling {
  const { newTable: at } = LIMITS;
  return {
    what: `units of a new ${name} table, three read units as one write unit`,
    limit: at.writeUnits,
    unit: "per second",
    load: writeUnits + readUnits * (at.writeUnits / at.readUnits),
    remedy:
      "raise the table's warm throughput before the first busy day, with aws dynamodb update-table --warm-throughput",
  };
}
