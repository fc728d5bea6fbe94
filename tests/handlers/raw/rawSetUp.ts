import { segmentOf, type GivenSegment, key, now, retentionMs } from "../history/segments";
import type { Entry } from "../../../handlers/history/history";
import { entriesOf } from "../../../handlers/history/segment";
import type { NewEntry, RawPost } from "../../../handlers/raw/postToRaw";
import { rawPoster } from "../../../handlers/raw/rawPoster";
import type { Session } from "../../../handlers/sessions/sessionItems";
import { liveConnections } from "../../../handlers/sessions/sessionRow";
import { sessionId } from "../../../handlers/sessions/sessionKey";
import type { Receipt } from "../../../protocol";
import { MemoryConnections, MemoryQueue, MemorySessions, RecordedLog, RecordedMetrics } from "../../support/boundaries";
import { MemoryHistory } from "../../support/memoryHistory";
import { receipt } from "../../support/schemas";

/** A raw connection of the session, open for over a minute. */
export function rawConnection(connectionId = "r1", given: Partial<Session> = {}): Session {
  return { ...key, connectionId, connectedAt: now - 120_000, expirationDate: now / 1000 + 9_000, ...given };
}

/** A connection of a client that speaks the protocol. */
export function protocolConnection(connectionId = "p1", given: Partial<Session> = {}): Session {
  return rawConnection(connectionId, { subprotocol: "websocket-relay.v1", ...given });
}

/** A session with these connections, all of them live, and a history of its own. */
export function rawSetUp(...given: Session[]) {
  const sessions = new MemorySessions();
  for (const each of given.length > 0 ? given : [rawConnection()]) sessions.put(each, "all");
  const history = new MemoryHistory();
  const [connections, log, metrics, deadLetters] = [
    new MemoryConnections(),
    new RecordedLog(),
    new RecordedMetrics(),
    new MemoryQueue(),
  ];
  const published: Receipt[] = [];
  const receipts = {
    wanted: true,
    fails: false,
    publish: (each: readonly Receipt[]) => {
      if (receipts.fails) return Promise.reject(new Error("publish fails"));
      published.push(...each.map(receipt));
      return Promise.resolve();
    },
  };
  const clock = { now };
  const pauses: number[] = [];
  let owners = 0;
  const dependencies = {
    sessions,
    history,
    connections,
    receipts,
    deadLetters,
    metrics,
    log,
    retentionMs,
    now: () => clock.now,
    newOwner: () => `owner ${++owners}`,
    pause: (ms: number) => {
      pauses.push(ms);
      return Promise.resolve();
    },
  };
  const partial: [number, readonly string[]][] = [];
  const row = () => sessions.sessionRows.get(sessionId(key)) ?? { ...key, connections: [], expirationDate: 0 };
  return {
    ...dependencies,
    dependencies,
    clock,
    pauses,
    partial,
    row,
    published: () => published.map(({ status, messageId }) => `${status} ${messageId}`),
    posted: () => connections.posts.map(({ connectionId, body }) => `${connectionId}: ${body.replace("body of ", "")}`),
    cursor: () => history.log(key).cursor,
    /** Stores one message for each number. */
    store: (first: number, last = first, segment: GivenSegment = {}) => {
      for (let seq = first; seq <= last; seq++) history.log(key).segments.set(seq, segmentOf(seq, segment));
    },
    /** The outcomes by connection, of the messages with these numbers, as `deliver` posts them. */
    post: async (
      seqs: readonly number[],
      {
        takenBy = {},
        signal = new AbortController().signal,
        presentEpoch = "e1",
        isLast = false,
        readTakenBy = () => Promise.resolve(new Map<number, ReadonlySet<string>>()),
        onPartial = async (entry: Entry, acceptedBy: readonly string[]) => {
          partial.push([entry.seq, acceptedBy]);
          await Promise.resolve();
        },
      }: {
        takenBy?: Record<number, readonly string[]>;
        signal?: AbortSignal;
        presentEpoch?: string;
        isLast?: boolean;
        readTakenBy?: RawPost["readTakenBy"];
        onPartial?: (entry: Entry, acceptedBy: readonly string[]) => Promise<void>;
      } = {},
    ) => {
      const stored = history.segments(key).flatMap(entriesOf);
      const entries = seqs.map((seq): NewEntry => {
        const entry = stored.find((each) => each.seq === seq);
        if (!entry) throw new Error(`number ${seq} is not stored`);
        return { entry, takenBy: takenBy[seq] && new Set(takenBy[seq]) };
      });
      const raw = liveConnections(row()).filter(({ subprotocol }) => subprotocol === undefined);
      const posting = { row: row(), connections: raw, entries, presentEpoch, onPartial, readTakenBy, isLast };
      const outcomes = await rawPoster(dependencies)(posting, signal);
      return Object.fromEntries(
        [...outcomes].map(([connectionId, each]) => [
          connectionId,
          each.map((outcome) => ("reason" in outcome ? `${outcome.kind}: ${outcome.reason}` : outcome.kind)).join(", "),
        ]),
      );
    },
  };
}
