import { expect } from "chai";
import { parseStreamChunk, STREAM_CHUNK_TYPE } from "../../protocol";
import { isStreamChunk } from "../support/schemas";

const chunk = { type: "websocket-relay.stream", id: "answer-1", offset: 12, text: "Hello" };

describe("parseStreamChunk", () => {
  it("has the type that the schema has", () => {
    expect(isStreamChunk({ ...chunk, type: STREAM_CHUNK_TYPE })).to.equal(true);
  });

  for (const valid of [
    chunk,
    { ...chunk, text: "" },
    { ...chunk, offset: 0 },
    { ...chunk, offset: Number.MAX_SAFE_INTEGER },
    { ...chunk, id: " ~" },
    { ...chunk, id: "i".repeat(100) },
    { ...chunk, end: "closed" },
    { ...chunk, text: "", end: "aborted", reason: "the model is overloaded" },
  ]) {
    it(`reads ${JSON.stringify(valid).slice(0, 120)}, as the schema does`, () => {
      expect(parseStreamChunk(JSON.stringify(valid))).to.deep.equal(valid);
      expect(isStreamChunk(valid)).to.equal(true);
    });
  }

  for (const wrong of [
    { type: "websocket-relay.streams" },
    { type: ["websocket-relay.stream"] },
    { id: undefined },
    { id: "" },
    { id: "i".repeat(101) },
    { id: "ä" },
    { id: "a\nb" },
    { id: 1 },
    { offset: undefined },
    { offset: -1 },
    { offset: 1.5 },
    { offset: 2 ** 53 },
    { offset: "12" },
    { text: undefined },
    { text: 1 },
    { end: "paused" },
    { end: true },
    { reason: 1 },
  ]) {
    it(`takes a body with ${JSON.stringify(wrong).slice(0, 80)} for an ordinary one, as the schema does`, () => {
      const value = { ...chunk, ...wrong };
      // With the type in another member, the first, cheap test is passed.
      expect(parseStreamChunk(JSON.stringify({ ...value, note: STREAM_CHUNK_TYPE }))).to.equal(undefined);
      expect(isStreamChunk(JSON.parse(JSON.stringify(value)))).to.equal(false);
    });
  }

  for (const body of ["", "Hello", '"websocket-relay.stream"', "null", '{"type":"websocket-relay.stream"', "[]"]) {
    it(`takes ${JSON.stringify(body)} for an ordinary body`, () => {
      expect(parseStreamChunk(body)).to.equal(undefined);
    });
  }

  it("ignores members that it does not know, and those that are null", () => {
    const value = { ...chunk, end: null, reason: null, addedLater: 1 };
    expect(parseStreamChunk(JSON.stringify(value))).to.deep.equal(chunk);
  });
});
