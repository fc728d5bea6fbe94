import { expect } from "chai";
import { KnownIds } from "../../../handlers/history/knownIds";
import * as segments from "../../../handlers/history/segment";
import * as retention from "../../../handlers/history/retention";
import { type LogMistake, LogModel, patched } from "./logModel";

const FIRST_SEED = 20_261_128;
const RUNS = 200;

const MISTAKES: Record<string, LogMistake> = {
  "no reading back": { install: () => patched(KnownIds.prototype, "reaches", () => true) },

  "a hash that is not confirmed": { install: () => patched(segments, "hasMessage", () => true) },

  "a put without its condition": {
    alter: (history, log) => ({
      put: async (key, segment) => {
        log.log(key).segments.delete(segment.first);
        return await history.put(key, segment);
      },
    }),
  },

  "times that are the clock's": {
    alter: (history) => ({
      put: (key, segment) => history.put(key, { ...segment, storedAtMs: segment.storedAtMs - 3_000 }),
    }),
  },

  "messages that expire before those before them": {
    alter: (history, _, retentionMs) => ({
      put: (key, segment) => history.put(key, { ...segment, untilMs: segment.storedAtMs + retentionMs }),
    }),
  },

  "a TTL that decreases": {
    alter: (history, _, retentionMs) => ({
      put: (key, segment) => {
        return history.put(key, {
          ...segment,
          ttlMs: segment.storedAtMs + retentionMs + retention.ttlSlackMs(retentionMs),
        });
      },
    }),
  },

  "a redriven message that is not sought further": {
    message: (message) => ({ ...message, originalMessageId: undefined }),
  },

  "a copy that is published again and is not sought further": {
    install: () => patched(retention, "REPUBLISH_WINDOW_MS", 0 as never),
  },

  "no new epoch after a segment that may be deleted": {
    alter: (history) => ({ renew: (key, seen, { ttlMs }) => history.renew(key, seen, { ttlMs }) }),
  },

  "a key that anyone may claim": {
    alter: (history) => ({ claimKey: (key, name, claim) => history.claimKey(key, name, claim, Infinity) }),
  },

  "a claim that is not recognized by its own message": {
    alter: (history) => ({
      readKeyClaim: async (key, name) => {
        const claim = await history.readKeyClaim(key, name);
        return claim && { ...claim, owner: "another" };
      },
    }),
  },
};

async function firstViolation(runs: number, mistake?: LogMistake): Promise<string | undefined> {
  for (let seed = FIRST_SEED; seed < FIRST_SEED + runs; seed++) {
    const violation = await new LogModel(seed, mistake).run();
    if (violation !== undefined) return `seed ${seed}: ${violation}`;
  }
  return undefined;
}

describe("append, whatever comes between its calls", () => {
  it(`gives each message one number, in no holes (${RUNS} random runs)`, async () => {
    expect(await firstViolation(RUNS)).to.equal(undefined);
  });

  for (const [name, mistake] of Object.entries(MISTAKES)) {
    it(`would not pass with ${name}`, async () => {
      expect(await firstViolation(RUNS * 10, mistake)).to.be.a("string");
    });
  }
});
