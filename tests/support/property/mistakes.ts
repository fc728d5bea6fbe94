import { Inbox } from "../../../client/inbox";
import { Resumer } from "../../../client/resumer";
import type { PostOutcome } from "../../../handlers/connections/connectionsClient";
import type { Entry, History } from "../../../handlers/history/history";
import * as recovery from "../../../handlers/history/recovery";
import type { Session } from "../../../handlers/sessions/sessionItems";
import { sessionId } from "../../../handlers/sessions/sessionKey";
import type { MessageEnvelope } from "../../../protocol";
import type { FunctionName, Services } from "./relay";
import type { Mistake } from "./run";

/** What somebody could get wrong in good faith; each has to be noticed. */
export const MISTAKES: Record<string, Mistake> = {
  "sessions that are read before the append": ofServices("deliver", (services) => {
    const early = new Map((services.sessions as unknown as { rows: Map<string, Session> }).rows);
    const readAll: Services["sessions"]["readAll"] = async (keys) => {
      await services.sessions.readAll(keys);
      return new Map(keys.flatMap((key) => [...early].filter(([id]) => id === sessionId(key))));
    };
    return { sessions: changed(services.sessions, { readAll }) };
  }),

  "a claim without its condition": ofHistory("deliver", (history) => ({
    claim: (key, messageId, claim) => history.claim(key, messageId, claim, Infinity),
  })),

  "a number that is put without its condition": ofHistory("deliver", (history) => ({
    put: async (key, entry) => {
      if ((await history.put(key, entry)) === "taken") {
        const { entries } = await (
          history as unknown as { log(of: object): Promise<{ entries: Map<number, Entry> }> }
        ).log(key);
        entries.set(entry.seq, entry);
      }
      return "stored";
    },
  })),

  "a queue that is done on any 410": ofPosts((outcome) =>
    outcome.result === "gone" ? { result: "delivered" } : outcome,
  ),

  "a queue that is done on any answer": ofPosts(() => ({ result: "delivered" })),

  "a disconnect that deletes the row of any connection": ofServices("disconnect", ({ sessions }) => ({
    sessions: changed(sessions, {
      removeConnection: async (key, connectionId) => {
        const row = await sessions.read(key);
        return await sessions.removeConnection(key, row?.connectionId ?? connectionId);
      },
    }),
  })),

  "a resume whose reads are not consistent": ofHistory("resume", (history, now) => {
    const isSeen = ({ storedAtMs }: { storedAtMs: number }) => storedAtMs < now() - 2_000;
    return {
      readTail: async (key) => (await history.readAfter(key, 0, Infinity)).filter(isSeen).at(-1),
      readAfter: async (key, after, limit) => (await history.readAfter(key, after, limit)).filter(isSeen),
    };
  }),

  "a page that is not cut at a hole": {
    install: () =>
      patched(recovery, "withoutGap", (page, { epoch }, first) =>
        page.filter((entry) => entry.seq >= first && entry.epoch === epoch),
      ),
  },

  "a sweeper that deletes the newest number": {
    retentionPasses: true,
    ...ofHistory("expire", (history) => ({
      strip: (key, seq, dueAtMs) =>
        dueAtMs === undefined ? history.delete(key, seq) : history.strip(key, seq, dueAtMs),
    })),
  },

  "a sweeper that does not ask what is acknowledged": ofHistory("expire", () => ({
    readAcknowledged: () => Promise.resolve(undefined),
  })),

  "a sweeper that deletes first, and reports then": {
    retentionPasses: true,
    ...ofServices("expire", (services) => reportingLate(services, "delete")),
  },

  "an acknowledgement that is stored first, and told then": ofServices("acknowledge", (services) =>
    reportingLate(services, "acknowledge"),
  ),

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

function ofServices(of: FunctionName, change: (services: Services, now: () => number) => Partial<Services>): Mistake {
  return { alter: (services, name, now) => (name === of ? { ...services, ...change(services, now) } : services) };
}

function ofHistory(of: FunctionName, change: (history: History, now: () => number) => Partial<History>): Mistake {
  return ofServices(of, ({ history }, now) => ({ history: changed(history, change(history, now)) }));
}

function ofPosts(change: (outcome: PostOutcome) => PostOutcome): Mistake {
  return ofServices("deliver", ({ connections }) => ({
    connections: changed(connections, {
      post: async (connectionId, body) => change(await connections.post(connectionId, body)),
    }),
  }));
}

/** Receipts are only published once that has been called. */
function reportingLate({ history, receipts }: Services, after: "delete" | "acknowledge"): Partial<Services> {
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

/** The object with other methods. */
function changed<T extends object>(object: T, methods: Partial<T>): T {
  return Object.assign(Object.create(object) as T, methods);
}

/** Puts another function in an object's place, until what is returned is called. */
function patched<T extends object, K extends keyof T>(object: T, name: K, value: T[K]): () => void {
  const original = object[name];
  Object.defineProperty(object, name, { value, configurable: true, writable: true, enumerable: true });
  return () =>
    Object.defineProperty(object, name, { value: original, configurable: true, writable: true, enumerable: true });
}
