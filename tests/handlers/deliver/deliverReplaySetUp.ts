import { deliverReplay } from "../../../handlers/deliver/deliverReplay";
import type { PostToRaw } from "../../../handlers/raw/postToRaw";
import type { Connections } from "../../../handlers/sessions/sessionRow";
import type { Receipt } from "../../../protocol";
import { MemoryHistory } from "../../support/memoryHistory";
import { envelopesIn, receipt } from "../../support/schemas";
import { inMemory, played, row as rawRow } from "./deliverSetUp";
import { key } from "../history/segments";

/** The session that records of `sqsRecord` go to. */
export const row = { ...rawRow, subprotocol: "websocket-relay.v1" };

export const retentionMs = 3_600_000;

interface Given {
  deadLetterExpired?: boolean;
  connectionsOfSession?: Connections;
  /** By default the relay refuses raw clients. */
  postToRaw?: PostToRaw;
}

/** `deliver` in replay mode, with `row` in its table. */
export function setUp(remainingMs = 30_000, given: Given = {}) {
  const { deadLetterExpired = false, connectionsOfSession = "newest", postToRaw } = given;
  const memory = { ...inMemory(row), connectionsOfSession };
  const { connections, queue, log } = memory;
  const history = new MemoryHistory();
  const published: Receipt[] = [];
  const receipts = {
    wanted: true,
    fails: false,
    publish: (given: readonly Receipt[]) => {
      if (receipts.fails) return Promise.reject(new Error("publish fails"));
      published.push(...given.map(receipt));
      return Promise.resolve();
    },
  };
  const environment = () =>
    deliverReplay({
      ...memory,
      ...(postToRaw && { postToRaw }),
      history,
      receipts,
      retentionMs,
      generation: 0,
      pause: () => Promise.resolve(),
      deadLetters: deadLetterExpired ? queue : undefined,
      newEpoch: () => "e1",
    });
  let handle = environment();
  return {
    ...memory,
    ...played((event, invocation) => handle(event, invocation), memory, remainingMs),
    /** The next batch comes to a new environment. */
    restart: () => void (handle = environment()),
    history,
    receipts,
    published,
    /** What became of each message, by the queue's id. */
    outcomes: () =>
      Object.fromEntries(
        log.lines
          .filter(({ event }) =>
            ["delivered", "stored", "duplicate", "failed", "undeliverable", "not-reached"].includes(event),
          )
          .map(({ event, sqsMessageId, reason }) => [sqsMessageId, reason ? `${event}: ${String(reason)}` : event]),
      ),
    /** The entries in the history of `row`'s session. */
    stored: (of = key) => history.entries(of).map(({ seq, messageId }) => `${seq} ${messageId}`),
    /** To which connection which numbers were posted, frame by frame. */
    posted: () =>
      connections.posts.map(({ connectionId, body }) => {
        const seqs = envelopesIn(body).map((envelope) => (envelope.type === "message" ? envelope.seq : undefined));
        return `${connectionId}: ${seqs.join()}`;
      }),
    /** Of everything that was posted, in order. */
    envelopes: () => connections.posts.flatMap(({ body }) => envelopesIn(body)),
  };
}
