import { MINUTES_A_MONTH } from "../cli/cost/assumed";
import { PRICES } from "../cli/cost/prices";
import { awayMessageOf, type Workload } from "../cli/cost/workload";
import { type Bill, billOf } from "./bill";
import { FLEET_FIGURES } from "./fleet/figures";
import type { Measured, Row } from "./measure";
import { FAN_OUT_BATCH_SIZES } from "./fanOut";
import { rounded } from "./median";
import type { Profile } from "./scenarios";
import type { Tally } from "./tally";

/** A row of the table: one figure of this commit, beside that of the base. */
export interface TableRow {
  row: Row;
  what: string;
  unit: string;
  /** The base's figure. Absent without a base. */
  today?: number;
  now: number;
  /** now / today. */
  ratio?: number;
  target?: { atMost: number } | { atLeast: number };
  /** What the target is compared with. */
  of?: "ratio" | "now";
  /** Absent if the row has no target, or a target by ratio and no base. */
  met?: boolean;
  lineItems: { today?: unknown; now: unknown };
}

interface Figure {
  value: number;
  lineItems: unknown;
}

type Target = Pick<TableRow, "target" | "of">;

const ofToday = (atMost: number): Target => ({ target: { atMost }, of: "ratio" });
const most = (atMost: number): Target => ({ target: { atMost }, of: "now" });
const least = (atLeast: number): Target => ({ target: { atLeast }, of: "now" });

interface RowSpec extends Target {
  row: Row;
  what: string;
  unit: string;
  figure(measured: Measured): Figure | undefined;
}

const PER_MILLION = "USD per million messages";

/** Attempts in an hour with the relay's default back-off. */
export const ATTEMPTS_IN_AN_HOUR = awayMessageOf({
  delivery: "retry",
  minutesAway: 60,
  maxAttempts: 66,
  backoff: { minSeconds: 2, maxSeconds: 120 },
} as Workload).attempts;

const SPECS: readonly RowSpec[] = [
  {
    row: "delivered",
    what: "replay, delivered, batch of 1",
    unit: PER_MILLION,
    ...ofToday(0.45),
    figure: ({ counted: { replay } }) => profileFigure(replay.delivered?.usual),
  },
  {
    row: "delivered",
    what: "replay, delivered, batch of 1, on the last day of a session",
    unit: PER_MILLION,
    figure: ({ counted: { replay } }) => profileFigure(replay.delivered?.last),
  },
  {
    row: "delivered",
    what: "replay, delivered, batch of 1, with bodies that no compression shortens",
    unit: PER_MILLION,
    figure: ({ counted: { replay } }) => profileFigure(replay.incompressible?.usual),
  },
  {
    row: "batch",
    what: "replay, delivered, batches of 10 to ten sessions, publishBatch",
    unit: PER_MILLION,
    ...ofToday(0.34),
    figure: ({ counted: { replay } }) => profileFigure(replay.batch?.usual),
  },
  {
    row: "batch",
    what: "replay, delivered, batches of 10, on the last day of the sessions",
    unit: PER_MILLION,
    figure: ({ counted: { replay } }) => profileFigure(replay.batch?.last),
  },
  {
    row: "chunks",
    what: "replay, 500 chunks of 20 bytes to one session, publishBatch",
    unit: PER_MILLION,
    ...ofToday(0.22),
    figure: ({ counted: { replay } }) => profileFigure(replay.chunks),
  },
  {
    row: "streams",
    what: "AWS calls of a generated answer as a stream / as a message for each token",
    unit: "ratio",
    ...most(0.12),
    figure: (measured) => answerFigure(measured, ({ calls }) => calls),
  },
  {
    row: "streams",
    what: "USD of the same",
    unit: "ratio",
    ...most(0.12),
    figure: (measured) => answerFigure(measured, ({ usd }) => usd),
  },
  {
    row: "streams",
    what: "append to onStream, first text of a stream, p50, less publish to onMessage",
    unit: "ms",
    ...most(20),
    // Noise may make it negative.
    figure: ({ counted: { streamTimes } }) =>
      streamTimes && { value: Math.max(0, streamTimes.firstText.addedMs), lineItems: streamTimes.firstText },
  },
  {
    row: "streams",
    what: "open to the complete text after a loss in its middle / to the only missed message, p50",
    unit: "ratio",
    ...most(1.5),
    figure: ({ counted: { streamTimes } }) =>
      streamTimes && { value: streamTimes.reconnect.ratio, lineItems: streamTimes.reconnect },
  },
  {
    row: "held",
    what: "replay, held for an hour, ten messages a return",
    unit: PER_MILLION,
    ...ofToday(0.5),
    figure: ({ counted: { replay } }) => profileFigure(replay.held?.usual),
  },
  {
    row: "held",
    what: "replay, held for an hour, on the last day of a session",
    unit: PER_MILLION,
    figure: ({ counted: { replay } }) => profileFigure(replay.held?.last),
  },
  {
    row: "retry",
    what: "retry, delivered",
    unit: PER_MILLION,
    ...ofToday(0.82),
    figure: ({ counted: { retry } }) =>
      retry.delivered && figureOf(billOf("retry", [["delivered", retry.delivered.usual.messages]])),
  },
  {
    row: "retry",
    what: `retry, held for an hour (${ATTEMPTS_IN_AN_HOUR} attempts)`,
    unit: PER_MILLION,
    ...ofToday(0.66),
    figure: ({ counted: { retry } }) =>
      retry.delivered &&
      retry.failedAttempt &&
      figureOf(
        billOf("retry", [
          ["delivered", retry.delivered.usual.messages],
          ["failedAttempt", retry.failedAttempt, ATTEMPTS_IN_AN_HOUR - 1],
        ]),
      ),
  },
  {
    row: "connection",
    what: "a connection's life, retry",
    unit: "USD per million connections",
    ...ofToday(0.55),
    figure: ({ counted: { retry } }) =>
      retry.connection && figureOf(billOf("retry", [["connection", retry.connection]])),
  },
  {
    row: "connection",
    what: "a connection's life, replay, with its resume",
    unit: "USD per million connections",
    ...ofToday(0.55),
    figure: ({ counted: { replay } }) =>
      replay.connection && figureOf(billOf("replay", [["connection", replay.connection]])),
  },
  {
    row: "idle",
    what: "an idle connected client, visible and quiet, replay",
    unit: "USD a month",
    ...most(0.035),
    figure: idleFigure,
  },
  {
    row: "contended",
    what: "history-contended while messages go to one session, standard order",
    unit: "attempts",
    ...most(0),
    figure: ({ contended }) => contended && { value: contended.historyContended, lineItems: contended },
  },
  {
    row: "contended",
    what: "the same: p99 from publish to client",
    unit: "ms",
    ...ofToday(0.25),
    figure: ({ contended }) => contended && { value: contended.publishToClientMs.p99, lineItems: contended },
  },
  {
    row: "throughput",
    what: "replay throughput / retry, batches of ten sessions, table stub of 5 ms",
    unit: "ratio",
    ...least(0.6),
    figure: ({ throughput }) => throughput && { value: throughput.stub.ratio, lineItems: throughput.stub },
  },
  {
    row: "throughput",
    what: "the same with dynalite's tables",
    unit: "ratio",
    figure: ({ throughput }) => throughput && { value: throughput.dynalite.ratio, lineItems: throughput.dynalite },
  },
  {
    row: "throughput",
    what: "CPU of deliver per message, replay, table stub of 5 ms",
    unit: "ms",
    ...ofToday(0.65),
    figure: ({ throughput }) =>
      throughput && { value: throughput.stub.replay.cpuMsPerMessage, lineItems: throughput.stub.replay },
  },
  ...(["retry", "replay"] as const).flatMap((mode): RowSpec[] => [
    {
      row: "connections",
      what: `POSTs more per message with two connections of a session, ${mode}`,
      unit: "POSTs",
      ...most(1),
      figure: ({ connections }) =>
        connections && { value: connections[mode].calls.morePosts, lineItems: connections[mode].calls },
    },
    {
      row: "connections",
      what: `the same: other AWS calls, ${mode}`,
      unit: "calls",
      ...most(0),
      figure: ({ connections }) =>
        connections && { value: connections[mode].calls.moreOthers, lineItems: connections[mode].calls },
    },
    ...FAN_OUT_BATCH_SIZES.map((batchSize, index): RowSpec => ({
      row: "connections",
      what: `POSTs a second to ten connections of a session / ten times those to one, ${mode}, batches of ${batchSize}, table and gateway stubs of 5 ms`,
      unit: "ratio",
      ...least(0.7),
      figure: ({ connections }) => {
        const throughput = connections?.[mode].throughput[index];
        return throughput && { value: throughput.ratio, lineItems: throughput };
      },
    })),
  ]),
  ...(
    [
      ["POSTs more per message with two raw connections of a session, replay", "morePostsOfSecond", "POSTs", 1],
      ["the same: other AWS calls", "moreOthersOfSecond", "calls", 0],
      ["AWS calls more per message of a raw connection than of one that speaks the protocol", "moreThanProtocol"],
      ["AWS calls more per message, besides its POST, of a raw connection next to the other", "moreNextToProtocol"],
    ] as const
  ).map(([what, key, unit = "calls", limit]): RowSpec => ({
    row: "connections",
    what,
    unit,
    ...(limit !== undefined && most(limit)),
    figure: ({ connections }) => connections && { value: connections.raw[key], lineItems: connections.raw },
  })),
  {
    row: "raw",
    what: "open to the first held message, p50, raw clients in replay mode that all return at once",
    unit: "ms",
    ...most(2_500),
    figure: ({ raw }) => raw && { value: raw.firstHeldMs.p50, lineItems: raw },
  },
  {
    row: "raw",
    what: "the same: p95",
    unit: "ms",
    figure: ({ raw }) => raw && { value: raw.firstHeldMs.p95, lineItems: raw },
  },
  ...FLEET_FIGURES.map(([what, unit, measuredOf, atMost]): RowSpec => ({
    row: "fleet",
    what,
    unit,
    ...(atMost !== undefined && most(atMost)),
    figure: ({ fleet }) => {
      const measurement = fleet && measuredOf(fleet);
      return measurement && { value: measurement.value, lineItems: measurement.of };
    },
  })),
  {
    row: "recovery",
    what: "open to the first of 1,000 missed messages, p50 / Socket.IO's",
    unit: "ratio",
    ...most(1.2),
    figure: ({ recovery }) =>
      recovery && {
        value: rounded(recovery.many.relay.firstMissedMs.p50 / recovery.many.socketIo.firstMissedMs.p50, 2),
        lineItems: recovery,
      },
  },
  {
    row: "client",
    what: "client library, minified and gzipped",
    unit: "bytes",
    // 8.0 kB of 1,024 bytes, as the client's own limit.
    ...most(8 * 1_024),
    figure: ({ clientBytes }) => (clientBytes === undefined ? undefined : { value: clientBytes, lineItems: {} }),
  },
];

/** @param base The base's measurements. @default the table has no ratios */
export function tableOf(now: Measured, base?: Measured): TableRow[] {
  return SPECS.flatMap(({ row, what, unit, target, of, figure }): TableRow[] => {
    const [ofNow, ofBase] = [figure(now), base && figure(base)];
    if (!ofNow) return [];
    const ratio = ofBase && (ofBase.value === 0 ? undefined : rounded(ofNow.value / ofBase.value));
    const compared = of === "ratio" ? ratio : ofNow.value;
    return [
      {
        row,
        what,
        unit,
        ...(ofBase && { today: ofBase.value }),
        now: ofNow.value,
        ...(ratio !== undefined && { ratio }),
        ...(target && { target, of }),
        ...(target && compared !== undefined && { met: isMet(target, compared) }),
        lineItems: { ...(ofBase && { today: ofBase.lineItems }), now: ofNow.lineItems },
      },
    ];
  });
}

function isMet(target: NonNullable<TableRow["target"]>, value: number): boolean {
  return "atMost" in target ? value <= target.atMost : value >= target.atLeast;
}

function figureOf(bill: Bill): Figure {
  return { value: bill.usd, lineItems: bill };
}

/** The messages' own costs; those of their connection are listed, and have a row of their own. */
function profileFigure(profile: Profile | undefined): Figure | undefined {
  if (!profile) return undefined;
  const bill = billOf("replay", [["messages", profile.messages]]);
  const { usd } = billOf("replay", [["connection", profile.connection]]);
  return { value: bill.usd, lineItems: { ...bill, connectionUsd: usd, withConnectionUsd: rounded(bill.usd + usd) } };
}

/** What an answer of a model takes: all its messages together. */
interface AnswerCosts {
  messages: number;
  calls: number;
  usd: number;
  /** For a million of its messages. */
  bill: Bill;
}

function answerFigure({ counted }: Measured, of: (costs: AnswerCosts) => number): Figure | undefined {
  const { streams } = counted.replay;
  if (!streams) return undefined;
  const [stream, messages] = [costsOf(streams.stream), costsOf(streams.messages)];
  return { value: rounded(of(stream) / of(messages), 3), lineItems: { stream, messages } };
}

function costsOf(tally: Tally): AnswerCosts {
  const bill = billOf("replay", [["messages", tally]]);
  // SNS sends each message to the queue.
  const calls = Object.values(tally.calls).reduce((sum, count) => sum + count, tally.publishRequests + tally.of);
  return { messages: tally.of, calls, usd: rounded((bill.usd / 1e6) * tally.of, 6), bill };
}

/** Pings and connection minutes of a month; the connections that replace each other are listed beside them. */
function idleFigure({ idle, counted: { replay } }: Measured): Figure | undefined {
  if (!idle) return undefined;
  const { perMillionMessages, perMillionConnectionMinutes } = PRICES.apiGateway;
  const perMonth = MINUTES_A_MONTH / (24 * 60) / idle.days;
  const pingsUsd = ((idle.pings * perMonth * 2) / 1e6) * perMillionMessages;
  const minutesUsd = (MINUTES_A_MONTH / 1e6) * perMillionConnectionMinutes;
  const connectionUsd = replay.connection && billOf("replay", [["connection", replay.connection]]).usd / 1e6;
  return {
    value: rounded(pingsUsd + minutesUsd, 4),
    lineItems: {
      pingsAMonth: Math.round(idle.pings * perMonth),
      pingsAndPongsUsd: rounded(pingsUsd, 4),
      connectionMinutesUsd: rounded(minutesUsd, 4),
      connectionsAMonth: Math.round(idle.connections * perMonth),
      ...(connectionUsd !== undefined && {
        replacedConnectionsUsd: rounded(connectionUsd * idle.connections * perMonth, 4),
      }),
    },
  };
}
