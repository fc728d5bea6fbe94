import { type BaseEvent, EventType } from "@ag-ui/core";
import { expect } from "chai";
import { EventError, type EventStream, receiveEvents, sendEvents, TRANSPORT_CAPABILITIES } from "../../agUi";
import type { StreamPiece } from "../../client";
import { SAMPLES } from "./samples";

const { RUN_STARTED, RUN_FINISHED, RUN_ERROR, TEXT_MESSAGE_CONTENT } = SAMPLES;
const finished: BaseEvent[] = [RUN_STARTED, TEXT_MESSAGE_CONTENT, RUN_FINISHED];

/** A stream that keeps what it gets. */
class KeptStream implements EventStream {
  text = "";
  end?: string;

  async append(text: string): Promise<void> {
    this.text += text;
  }
  async close(): Promise<void> {
    this.end ??= "closed";
  }
  async abort(reason: string): Promise<void> {
    this.end ??= `aborted: ${reason}`;
  }
}

async function textOf(events: BaseEvent[]): Promise<string> {
  const stream = new KeptStream();
  await sendEvents(events, stream);
  return stream.text;
}

/** What a client's receiver passes on of these pieces of one stream. */
async function received(pieces: Omit<StreamPiece, "id">[], options: { validate?: boolean } = {}) {
  const events: BaseEvent[] = [];
  const warnings: string[] = [];
  const onStream = receiveEvents({
    ...options,
    onEvent: (event) => void events.push(event),
    onWarning: (warning) => void warnings.push(warning),
  });
  for (const piece of pieces) await onStream({ id: "s", ...piece });
  return { events, warnings };
}

const piece = (text: string, offset = 0, status: StreamPiece["status"] = "open") => ({ text, offset, status });

describe("AG-UI over a stream", () => {
  it("brings each type of event to the client as it was sent", async () => {
    const events = Object.values(SAMPLES);
    expect(events).to.have.lengthOf(Object.keys(EventType).length);
    const text = await textOf(events);
    expect(text.split("\n")).to.have.lengthOf(events.length + 1);
    expect((await received([piece(text, 0, "closed")])).events).to.deep.equal(events);
  });

  it("does so wherever the stream is cut, and for pieces that accumulated", async () => {
    const text = await textOf(finished);
    for (let cut = 0; cut <= text.length; cut++) {
      const { events } = await received([piece(text.slice(0, cut)), piece(text.slice(cut), cut, "closed")]);
      expect(events, `cut at ${cut}`).to.deep.equal(finished);
    }
    const units = text.split("").map((unit, index) => piece(unit, index));
    expect((await received([...units, piece("", text.length, "closed")])).events).to.deep.equal(finished);
  });

  it("passes no event twice where a piece overlaps the one before", async () => {
    const text = await textOf(finished);
    for (let overlap = 0; overlap <= 30; overlap++) {
      const pieces = [piece(text.slice(0, 60)), piece(text.slice(60 - overlap), 60 - overlap, "closed")];
      expect((await received(pieces)).events, `overlap of ${overlap}`).to.deep.equal(finished);
    }
  });

  it("keeps the streams of several runs apart, and awaits each event's handler", async () => {
    const [text, log] = [await textOf(finished), [] as string[]];
    const onStream = receiveEvents({
      onEvent: async ({ type }, id) => {
        await Promise.resolve();
        log.push(`${id} ${type}`);
      },
    });
    for (const [from, to] of [
      [0, 80],
      [80, text.length],
    ] as const) {
      for (const id of ["a", "b"]) await onStream({ id, ...piece(text.slice(from, to), from) });
    }
    expect(log.filter((line) => line.startsWith("a"))).to.deep.equal(finished.map(({ type }) => `a ${type}`));
    expect(log.filter((line) => line.startsWith("b"))).to.deep.equal(finished.map(({ type }) => `b ${type}`));
  });

  describe("the sender", () => {
    const ended = async (events: BaseEvent[]) => {
      const stream = new KeptStream();
      await sendEvents(events, stream);
      return stream.end;
    };

    it("closes the stream of a run that finished, and of several", async () => {
      expect(await ended(finished)).to.equal("closed");
      expect(await ended([...finished, ...finished])).to.equal("closed");
    });

    it("aborts the stream of a run that failed or did not end", async () => {
      expect(await ended([RUN_STARTED, RUN_ERROR])).to.equal("aborted: the run failed");
      const unfinished = "aborted: the run ended without RUN_FINISHED or RUN_ERROR";
      expect(await ended([RUN_STARTED])).to.equal(unfinished);
      expect(await ended([])).to.equal(unfinished);
    });

    it("refuses an event that AG-UI does not allow, by type and member, after those before it, and aborts", async () => {
      const stream = new KeptStream();
      const wrong = { type: EventType.TEXT_MESSAGE_CONTENT, messageId: 7, delta: "x" };
      const error = await sendEvents([RUN_STARTED, wrong, RUN_FINISHED], stream).catch((thrown: unknown) => thrown);
      expect(error).to.be.instanceOf(EventError);
      expect(error).to.include({ index: 1, type: "TEXT_MESSAGE_CONTENT" });
      expect(String(error)).to.match(
        /event 1 \(TEXT_MESSAGE_CONTENT\) is not an AG-UI event: messageId: .*string.* Fix: /,
      );
      expect(stream.text).to.equal(await textOf([RUN_STARTED]));
      expect(stream.end).to.equal("aborted: the run failed");
    });

    it("refuses an event of an unknown type, since a client would drop it", async () => {
      const unknown = { type: "MOOD" as EventType };
      const error = await sendEvents([unknown], new KeptStream()).catch((thrown: unknown) => thrown);
      expect(String(error)).to.match(/event 0 \(MOOD\)/);
    });

    it("leaves out optional members that are null, as agents in other languages send them", async () => {
      const text = await textOf([{ ...RUN_STARTED, parentRunId: null }, RUN_FINISHED]);
      expect(JSON.parse(text.split("\n")[0] ?? "")).to.deep.equal(RUN_STARTED);
    });

    it("aborts when the agent throws, with its error for the backend alone", async () => {
      async function* failing() {
        yield RUN_STARTED;
        await Promise.reject(new Error("the model's key is 7"));
      }
      const stream = new KeptStream();
      const error = await sendEvents(failing(), stream).catch((thrown: unknown) => thrown);
      expect(String(error)).to.equal("Error: the model's key is 7");
      expect(stream.end).to.equal("aborted: the run failed");
    });

    for (const method of ["append", "close"] as const) {
      it(`throws the error of a stream whose ${method} fails, and aborts it, so that the client is told`, async () => {
        const failing = new KeptStream();
        failing[method] = () => Promise.reject(new Error("no topic"));
        const error = await sendEvents(finished, failing).catch((thrown: unknown) => thrown);
        expect(String(error)).to.equal("Error: no topic");
        expect(failing.end).to.equal("aborted: the run failed");
      });
    }
  });

  describe("the receiver", () => {
    const errorOf = async (pieces: Parameters<typeof received>[0]) => {
      const { events } = await received(pieces);
      expect(events.filter(({ type }) => type === EventType.RUN_ERROR)).to.have.lengthOf(1);
      const { message, code } = events.at(-1) as BaseEvent & { message: string; code?: string };
      return `${code}: ${message}`;
    };

    it("ends a run with RUN_ERROR where its stream was aborted, fell silent or was closed too early", async () => {
      const text = await textOf([RUN_STARTED]);
      const end = (status: StreamPiece["status"], reason?: string) =>
        errorOf([piece(text), { ...piece("", text.length, status), reason }]);
      expect(await end("aborted", "the user stopped it")).to.equal("aborted: the user stopped it");
      expect(await end("timed-out")).to.equal("timed-out: the backend is silent");
      expect(await end("closed")).to.equal("truncated: the stream was closed before the run ended");
    });

    it("passes the run's own RUN_ERROR alone, although its stream was aborted", async () => {
      const text = await textOf([RUN_STARTED, RUN_ERROR]);
      expect(await errorOf([piece(text, 0, "aborted")])).to.equal("limit: too long");
    });

    it("ends a run whose beginning is not available any more, once", async () => {
      const text = await textOf(finished);
      const pieces = [piece(text.slice(10), 10), piece("", text.length, "closed")];
      expect(await errorOf(pieces)).to.equal("incomplete: the stream's text from 0 to 10 is not available any more");
    });

    it("ends a run with an event that AG-UI does not allow, named, and drops what follows it", async () => {
      const wrong = `${JSON.stringify({ type: "TEXT_MESSAGE_CONTENT", messageId: "m", delta: 1 })}\n`;
      const text = (await textOf([RUN_STARTED])) + wrong;
      const rest = await textOf([RUN_FINISHED]);
      const error = await errorOf([piece(text), piece(rest, text.length, "closed")]);
      expect(error).to.match(/^malformed-event: event 1 \(TEXT_MESSAGE_CONTENT\) is not an AG-UI event: delta: /);
      for (const line of ["no JSON", "[]", "null", "7", "{}", ""]) {
        expect(await errorOf([piece(`${line}\n`)]), line).to.match(/not a JSON object with a type/);
      }
    });

    it("drops an event of an unknown type with a warning, and goes on", async () => {
      const text = `${JSON.stringify({ type: "MOOD" })}\n${await textOf(finished)}`;
      const { events, warnings } = await received([piece(text, 0, "closed")]);
      expect(events).to.deep.equal(finished);
      expect(warnings).to.deep.equal(["stream s: event 0 of the unknown type MOOD was dropped"]);
    });

    it("leaves every check of events to @ag-ui/client if it is told to", async () => {
      const unchecked = [{ type: "MOOD" }, { type: "TEXT_MESSAGE_CONTENT", messageId: "m", delta: 1 }];
      const text = unchecked.map((event) => `${JSON.stringify(event)}\n`).join("");
      const { events, warnings } = await received([piece(text)], { validate: false });
      expect(events).to.deep.equal(unchecked);
      expect(warnings).to.deep.equal([]);
    });

    for (const [how, fail] of [
      ["rejects", () => Promise.reject(new Error("mine"))],
      [
        "throws",
        () => {
          throw new Error("mine");
        },
      ],
    ] as const) {
      it(`leaves to the client the error of a handler that ${how}, after the piece's other events`, async () => {
        const types: string[] = [];
        const onStream = receiveEvents({
          onEvent: ({ type }) => {
            types.push(type);
            if (type === EventType.RUN_STARTED) return fail();
          },
        });
        const error = await onStream({ id: "s", ...piece(await textOf(finished)) }).catch((thrown: unknown) => thrown);
        expect(String(error)).to.equal("Error: mine");
        expect(types).to.deep.equal(finished.map(({ type }) => type));
      });
    }
  });

  it("declares that a client can resume, by the relay's sequence numbers", () => {
    expect(TRANSPORT_CAPABILITIES).to.deep.equal({ websocket: true, resumable: true });
  });
});
