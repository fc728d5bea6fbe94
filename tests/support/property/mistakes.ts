import { Inbox } from "../../../client/inbox";
import { Resumer } from "../../../client/resumer";
import type { PostOutcome } from "../../../handlers/connections/connectionsClient";
import * as partialDeliveries from "../../../handlers/deliver/partialDeliveries";
import * as settling from "../../../handlers/deliver/settle";
import { RawLine } from "../../../handlers/raw/rawLine";
import * as rawPoster from "../../../handlers/raw/rawPoster";
import * as sessionRow from "../../../handlers/sessions/sessionRow";
import type { History, Segment } from "../../../handlers/history/history";
import * as merging from "../../../handlers/history/mergeChunks";
import { NEWEST } from "../../../handlers/history/readRange";
import * as recovery from "../../../handlers/history/recovery";
import { lastSeqOf } from "../../../handlers/history/segment";
import type { SessionRow } from "../../../handlers/sessions/sessionItems";
import { sessionId } from "../../../handlers/sessions/sessionKey";
import { liveConnections } from "../../../handlers/sessions/sessionRow";
import type { MessageEnvelope } from "../../../protocol";
import type { MemoryLog } from "../memoryHistory";
import type { FunctionName, Services } from "./relay";
import type { Mistake } from "./run";

/** Plausible mistakes in the code. The property test must detect each of them. */
export const MISTAKES: Record<string, Mistake> = {
  "sessions that are read before the append": ofServices("deliver", (services) => {
    const early = new Map((services.sessions as unknown as { sessionRows: Map<string, SessionRow> }).sessionRows);
    const readAll: Services["sessions"]["readAll"] = async (keys) => {
      await services.sessions.readAll(keys);
      return new Map(keys.flatMap((key) => [...early].filter(([id]) => id === sessionId(key))));
    };
    return { sessions: changed(services.sessions, { readAll }) };
  }),

  "a number that is put without its condition": ofHistory("deliver", (history) => ({
    put: async (key, segment) => {
      if ((await history.put(key, segment)) === "taken") {
        const log = await (history as unknown as { log(of: object): Promise<MemoryLog> }).log(key);
        log.segments.set(segment.first, segment);
      }
      return "stored";
    },
  })),

  "ids that are not sought in earlier segments": ofHistory("deliver", (history) => ({
    readBack: async (key, throughFirst, limit) =>
      throughFirst === NEWEST ? await history.readBack(key, throughFirst, limit) : [],
  })),

  "a queue that is done on any 410": ofPosts((outcome) =>
    outcome.result === "gone" ? { result: "delivered" } : outcome,
  ),

  "a queue that is done on any answer": ofPosts(() => ({ result: "delivered" })),

  "a disconnect that deletes the row of any connection": ofServices("disconnect", ({ sessions }) => ({
    sessions: changed(sessions, {
      removeConnection: async (key, connectionId) => {
        const row = await sessions.read(key);
        const [newest] = row ? liveConnections(row) : [];
        return await sessions.removeConnection(key, newest?.connectionId ?? connectionId);
      },
    }),
  })),

  "a resume whose reads are not consistent": ofHistory("resume", (history, now) => {
    const isSeen = ({ storedAtMs }: Segment) => storedAtMs < now() - 2_000;
    return {
      readBack: async (key, through) => (await history.readBack(key, through, Infinity)).filter(isSeen),
      readOn: async (key, from, limit) => (await history.readOn(key, from, limit)).filter(isSeen),
    };
  }),

  "a page that is not cut at a hole": {
    install: () => patched(recovery, "withoutGap", (page, first) => page.filter((each) => lastSeqOf(each) >= first)),
  },

  "joined chunks that count as one message": ofMergedChunks((joined) => ({ ...joined, first: undefined })),

  "joined chunks with the text of the last alone": ofMergedChunks((joined, last) => ({ ...joined, body: last.body })),

  "a resume that acknowledges what the client has skipped": {
    retentionPasses: true,
    ...ofServices("resume", ({ history }) => ({
      history: changed(history, {
        settle: async (key, to) => {
          await history.settle(key, to);
          if (to.settled) await history.acknowledge(key, to.settled);
        },
      }),
    })),
  },

  "a sweeper that deletes the last number": {
    retentionPasses: true,
    ...ofHistory("expire", (history) => ({
      seal: async (key, { first }) => {
        await history.delete(key, first);
        return "sealed";
      },
    })),
  },

  "a sweeper that does not seal": {
    retentionPasses: true,
    ...ofHistory("expire", () => ({ seal: () => Promise.resolve("sealed") })),
  },

  "a sweeper whose next visit is lost": { retentionPasses: true, ...ofHistory("expire", () => ({ mark: nothing })) },

  "a sweeper that does not ask what is acknowledged": ofHistory("expire", () => ({
    readCursor: () => Promise.resolve({ oldestSeq: 1 }),
  })),

  "a sweeper that settles first, and reports then": {
    retentionPasses: true,
    ...ofServices("expire", (services) => reportingLate(services, "settle")),
  },

  "an acknowledgement that is stored first, and told then": ofServices("acknowledge", (services) =>
    reportingLate(services, "acknowledge"),
  ),

  "a resume whose cursor is stored first, and told then": ofServices("resume", (services) =>
    reportingLate(services, "acknowledge"),
  ),

  "a delivery to the newest connection only": ofServices("deliver", ({ sessions }) => ({
    sessions: changed(sessions, {
      readAll: async (keys) => {
        const rows = await sessions.readAll(keys);
        return new Map([...rows].map(([id, row]) => [id, { ...row, connections: row.connections.slice(0, 1) }]));
      },
    }),
  })),

  "a connect that drops a live connection": {
    install: () => {
      const { withConnection } = sessionRow;
      const without: typeof withConnection = (row, session, connections, gone) => {
        const rest = row && { ...row, connections: row.connections.filter(({ supersededBy }) => supersededBy) };
        return withConnection(connections === "all" ? rest : row, session, connections, gone);
      };
      return patched(sessionRow, "withConnection", without);
    },
  },

  "an end of one connection that removes all": {
    install: () => patched(sessionRow, "withoutConnection", () => undefined),
  },

  "partial deliveries that are not read": ofServices("deliver", ({ partials }) => ({
    partials: changed(partials, { read: () => Promise.resolve(new Map()) }),
  })),

  "a partial delivery that is not recorded before the cursor moves": {
    install: () => patched(partialDeliveries, "addTakenBy", () => Promise.resolve()),
  },

  "a lease that is not respected": {
    alter: (services, name) =>
      name === "deliver" || name === "flush"
        ? {
            ...services,
            history: changed(services.history, {
              leaseRaw: async (key, lease, nowMs) => {
                const got = await services.history.leaseRaw(key, lease, nowMs);
                return got === "busy" ? await services.history.leaseRaw(key, lease, nowMs + 60_000) : got;
              },
            }),
          }
        : services,
  },

  "a release that moves past a message that failed": {
    install: () => patched(RawLine.prototype, "outcomeOf", () => ({ kind: "accepted" })),
  },

  "raw clients that get what is old while another connection is open": {
    install: () => patched(RawLine.prototype, "isFor", () => true),
  },

  "an acceptance that acknowledges while a protocol client is connected": ofServices("deliver", ({ history }) => ({
    history: changed(history, {
      releaseRaw: async (key, owner, to) =>
        await history.releaseRaw(key, owner, { ...to, acknowledges: !!to.accepted }),
    }),
  })),

  "messages older than the raw connections that are forgotten": ofHistory("deliver", (history) => ({
    releaseRaw: async (key, owner, to) => await history.releaseRaw(key, owner, { ...to, skipped: undefined }),
  })),

  "acknowledgements that take messages from raw clients": {
    alter: (services, name) =>
      name === "deliver" || name === "flush"
        ? {
            ...services,
            history: changed(services.history, {
              leaseRaw: async (key, lease, nowMs) => {
                const cursor = await services.history.leaseRaw(key, lease, nowMs);
                if (cursor === "busy" || !cursor.acknowledged) return cursor;
                const isAhead = cursor.acknowledged.seq > (cursor.accepted?.seq ?? 0);
                return isAhead ? { ...cursor, accepted: cursor.acknowledged } : cursor;
              },
            }),
          }
        : services,
  },

  "a raw client that is not flushed": ofServices("connect", ({ flushRequests }) => ({
    flushRequests: changed(flushRequests, { send: () => Promise.resolve() }),
  })),

  "a flush that posts to its own connection only": {
    install: () => {
      const { postMissed } = rawPoster;
      const own: typeof postMissed = (row, connections, ...rest) => postMissed(row, connections.slice(0, 1), ...rest);
      return patched(rawPoster, "postMissed", own);
    },
  },

  "a message that is dead-lettered though a connection has taken it": {
    install: () => {
      const { settle } = settling;
      const untaken: typeof settle = (attempted, ...rest) =>
        settle(
          attempted.map((each) => ({ ...each, isTaken: undefined })),
          ...rest,
        );
      return patched(settling, "settle", untaken);
    },
  },

  "a client that resumes after what it has not handled": {
    install: () => {
      const { request } = Inbox.prototype;
      return patched(Inbox.prototype, "request", function (this: Inbox) {
        return this.position ? { action: "resume", cursor: this.position } : request.call(this);
      });
    },
  },

  "a client that moves its cursor before the message is shown": { movesTooEarly: true },

  "a client that does not look whether it has a number": {
    install: () => {
      const { accept } = Inbox.prototype;
      return patched(Inbox.prototype, "accept", function (this: Inbox, message: MessageEnvelope, through: number) {
        if (this.position?.epoch === message.epoch && message.seq <= this.seq) this.seq = message.seq - 1;
        accept.call(this, message, through);
      });
    },
  },

  "a client that does not ask for a missing number": {
    install: () => patched(Resumer.prototype, "check", () => undefined),
  },
};

const nothing = () => Promise.resolve();

function ofServices(of: FunctionName, change: (services: Services, now: () => number) => Partial<Services>): Mistake {
  return { alter: (services, name, now) => (name === of ? { ...services, ...change(services, now) } : services) };
}

function ofHistory(of: FunctionName, change: (history: History, now: () => number) => Partial<History>): Mistake {
  return ofServices(of, ({ history }, now) => ({ history: changed(history, change(history, now)) }));
}

/** Changes the envelopes that cover several messages; `last` is the last of these. */
function ofMergedChunks(change: (joined: MessageEnvelope, last: MessageEnvelope) => MessageEnvelope): Mistake {
  return {
    install: () => {
      const { mergeChunks } = merging;
      const changed: typeof mergeChunks = (envelopes) =>
        mergeChunks(envelopes).map((each) => {
          const last = envelopes.find(({ seq }) => seq === each.seq);
          return last && each.first !== undefined ? change(each, last) : each;
        });
      return patched(merging, "mergeChunks", changed);
    },
  };
}

function ofPosts(change: (outcome: PostOutcome) => PostOutcome): Mistake {
  return ofServices("deliver", ({ connections }) => ({
    connections: changed(connections, {
      post: async (connectionId, body) => change(await connections.post(connectionId, body)),
    }),
  }));
}

/** Publishes receipts only after that call. */
function reportingLate({ history, receipts }: Services, after: "settle" | "acknowledge"): Partial<Services> {
  let late: Parameters<typeof receipts.publish>[0] = [];
  const call = async (...args: never[]) => {
    const result = await (history[after] as (...args: never[]) => Promise<unknown>)(...args);
    await receipts.publish(late);
    late = [];
    return result;
  };
  return {
    history: changed(history, { [after]: call } as Partial<History>),
    receipts: {
      ...receipts,
      publish: (more) => {
        late = [...late, ...more];
        return Promise.resolve();
      },
    },
  };
}

/** The object with some methods replaced. */
function changed<T extends object>(object: T, methods: Partial<T>): T {
  return Object.assign(Object.create(object) as T, methods);
}

/** Replaces a function of an object. @returns a function that restores it. */
function patched<T extends object, K extends keyof T>(object: T, name: K, value: T[K]): () => void {
  const original = object[name];
  Object.defineProperty(object, name, { value, configurable: true, writable: true, enumerable: true });
  return () =>
    Object.defineProperty(object, name, { value: original, configurable: true, writable: true, enumerable: true });
}
