import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect } from "chai";
import { type MessageEnvelope, parseStreamChunk, STREAM_CHUNK_TYPE } from "../../protocol";
import streamChunkSchema from "../../protocol/streamChunk.schema.json";
import { definitions, isStreamChunk, problemsOf, receipt } from "../support/schemas";

const page = readFileSync(join(resolve(__dirname, "../.."), "docs", "protocol.md"), "utf8");

/** The definitions of single frames, by their names on the page. */
const names = new Map(
  Object.entries(definitions).flatMap(([definition, { properties = {} }]) => {
    const name = properties.action?.const ?? properties.type?.const;
    return typeof name === "string" ? [[name, definition] as const] : [];
  }),
);
const blocks = [...page.matchAll(/^```json\n([^]*?)^```/gm)].map(([, text = ""]) => JSON.parse(text) as unknown);
const isOfStream = (example: unknown) => (example as { type?: string }).type === STREAM_CHUNK_TYPE;
/** The frames; the other blocks have chunks, which are bodies. */
const examples = blocks.filter((block) => ![block].flat().some(isOfStream));
const chunks = blocks.filter((block) => !examples.includes(block)).flat();

const cursor = { epoch: "e", seq: 3 };
const message = { type: "message", epoch: "e", seq: 1, id: "m1" };
const resumed = { type: "resumed", recovered: true, first: 1, through: 0 };

describe("the schema of the frames", () => {
  for (const [index, example] of examples.entries()) {
    it(`has a definition for the worked example ${index + 1} of docs/protocol.md`, () => {
      const directions = ["FrameToRelay", "FrameToClient"];
      expect(directions.filter((name) => problemsOf(name, example).length === 0)).to.not.be.empty;
    });
  }

  for (const [name, definition] of [...names, ["API Gateway's errors", "GatewayError"]] as const) {
    it(`has a worked example of ${name} in docs/protocol.md`, () => {
      expect(examples.flat().filter((example) => problemsOf(definition, example).length === 0)).to.not.be.empty;
    });

    it(`has the members of ${name} that docs/protocol.md has in its table, and requires the same`, () => {
      const { properties = {}, required = [] } = definitions[definition] ?? {};
      const documented = membersIn(name);
      expect([...documented.keys()]).to.deep.equal(Object.keys(properties));
      expect([...documented].filter(([, cell]) => cell === "yes").map(([member]) => member)).to.have.members(required);
    });

    for (const member of definitions[definition]?.required ?? []) {
      it(`refuses ${name} without ${member}`, () => {
        const valid = examples.flat().find((example) => problemsOf(definition, example).length === 0) as object;
        expect(problemsOf(definition, { ...valid, [member]: undefined })).to.not.be.empty;
        expect(problemsOf(definition, { ...valid, [member]: [] })).to.not.be.empty;
      });
    }
  }

  for (const [definition, value] of [
    ["FrameToRelay", { action: "resume" }],
    ["FrameToRelay", { action: "resume", cursor: { ...cursor, seq: 0 } }],
    ["FrameToRelay", { action: "resume", cursor, after: 5 }],
    ["FrameToRelay", { action: "ack", cursor: { ...cursor, seq: 0 } }],
    ["FrameToClient", { ...message, body: "" }],
    ["FrameToClient", { ...message, body: "b", addedLater: 1 }],
    ["FrameToClient", { ...message, seq: 3, first: 1, body: "b" }],
    ["FrameToClient", { type: "error", code: "unavailable", message: "a fault" }],
  ] as const) {
    it(`accepts ${JSON.stringify(value)}`, () => expect(problemsOf(definition, value)).to.deep.equal([]));
  }

  for (const [definition, value] of [
    ["FrameToRelay", { action: "resume", cursor: { epoch: "", seq: 1 } }],
    ["FrameToRelay", { action: "resume", cursor: { epoch: "e", seq: -1 } }],
    ["FrameToRelay", { action: "resume", cursor: { epoch: "e", seq: 1.5 } }],
    ["FrameToRelay", { action: "resume", cursor: { epoch: "e", seq: "1" } }],
    ["FrameToRelay", { action: "resume", cursor: { epoch: "e", seq: 2 ** 53 } }],
    ["FrameToRelay", { action: "resume", from: "newest" }],
    ["FrameToRelay", { action: "resume", cursor, after: -1 }],
    ["FrameToRelay", { action: "subscribe" }],
    ["FrameToRelay", [{ action: "ping" }]],
    ["FrameToRelay", message],
    ["FrameToClient", message],
    ["FrameToClient", { ...message, body: "b", expired: true }],
    ["FrameToClient", { ...message, expired: false }],
    ["FrameToClient", { ...message, expired: true, first: 1 }],
    ["FrameToClient", { ...message, first: 0, body: "b" }],
    ["FrameToClient", { ...message, seq: 0, body: "b" }],
    ["FrameToClient", { ...message, body: { text: "b" } }],
    ["FrameToClient", { ...resumed, lost: "epoch" }],
    ["FrameToClient", { ...resumed, recovered: false }],
    ["FrameToClient", { ...resumed, recovered: false, lost: "else" }],
    ["FrameToClient", { type: "hello", oldest: 1, newest: 1 }],
    ["FrameToClient", { type: "hello", epoch: "e", oldest: 1, newest: 0 }],
    ["FrameToClient", { type: "hello", oldest: 1, newest: 0, ackSeconds: 0 }],
    ["FrameToClient", { type: "hello", oldest: 1, newest: 0, ackSeconds: 1.5 }],
    ["FrameToClient", { type: "error", code: "not-found", message: "" }],
    ["FrameToClient", { type: "error", code: "unavailable", message: "", action: "ping" }],
    ["FrameToClient", { type: "later" }],
    ["FrameToClient", [[resumed]]],
    ["FrameToClient", "pong"],
  ] as const) {
    it(`refuses ${JSON.stringify(value)}`, () => expect(problemsOf(definition, value)).to.not.be.empty);
  }
});

describe("the schema of chunks", () => {
  it("has the worked examples of docs/protocol.md, which are a stream", () => {
    let length = 0;
    for (const chunk of chunks) {
      expect(isStreamChunk(chunk), JSON.stringify(chunk)).to.equal(true);
      const { offset, text = "" } = parseStreamChunk(JSON.stringify(chunk)) ?? {};
      expect(offset).to.equal(length);
      length += text.length;
    }
    expect(chunks.at(-1)).to.have.property("end");
  });

  it("has the members that docs/protocol.md has in its table, and requires the same", () => {
    const [, section = ""] = page.split(/^## Streams\n/m);
    const documented = tableIn(section);
    const { properties, required } = streamChunkSchema;
    expect([...documented.keys()]).to.deep.equal(Object.keys(properties));
    expect([...documented].filter(([, cell]) => cell === "yes").map(([member]) => member)).to.deep.equal(required);
  });

  it("has the body of the worked example of an envelope that covers several chunks", () => {
    const messages = examples.flat() as Partial<MessageEnvelope>[];
    const merged = messages.filter(({ type, first }) => type === "message" && first !== undefined);
    expect(merged.map(({ body = "" }) => isStreamChunk(JSON.parse(body)))).to.deep.equal([true]);
  });
});

describe("the schema of receipts", () => {
  const valid = {
    status: "delivered" as const,
    messageId: "m1",
    user: "42",
    context: "chat",
    contextId: "7",
    at: "2026-11-25T10:00:00.000Z",
  };

  it("accepts a receipt with a number and one without", () => {
    expect(receipt(valid)).to.equal(valid);
    expect(receipt({ ...valid, status: "expired", reason: "retention", epoch: "e", seq: 1 })).to.include({ seq: 1 });
  });

  for (const wrong of [{ status: "lost" }, { seq: 0 }, { user: 42 }, { at: undefined }, { messageId: undefined }]) {
    it(`refuses a receipt with ${JSON.stringify(wrong)}`, () => {
      expect(() => receipt({ ...valid, ...wrong } as never)).to.throw("no receipt");
    });
  }
});

/** The members in the page's section of a frame, each with the table's statement whether it is required. */
function membersIn(name: string): Map<string, string> {
  const [, section = ""] = page.split(new RegExp(`^#### \`?${name}\`?\n`, "m"));
  return tableIn(section);
}

/** The first table of members. */
function tableIn(section: string): Map<string, string> {
  const [table = ""] = section.match(/^\| (?:`?member`?) [^]*?\n\n/m) ?? [];
  const [head = "", , ...rows] = table.trim().split("\n");
  const cells = (line: string) => line.split("|").map((cell) => cell.trim().replaceAll("`", ""));
  const at = cells(head).indexOf("required");
  return new Map(rows.map((row) => [cells(row)[1] ?? "", cells(row)[at] ?? ""]));
}
