import { expect } from "chai";
import { parseAcknowledgement, parseResume } from "../../../handlers/frames/parseFrame";

const cursor = { epoch: "e", seq: 3 };

describe("parseResume", () => {
  for (const frame of [
    { action: "resume" },
    { action: "resume", cursor },
    { action: "resume", cursor: { epoch: "e", seq: 0 } },
    { action: "resume", cursor, after: 5 },
    { action: "resume", cursor, after: 0 },
    { action: "resume", from: "oldest" },
    { action: "resume", from: "acknowledged" },
  ]) {
    it(`takes ${JSON.stringify(frame)}`, () => {
      expect(parseResume(JSON.stringify(frame))).to.deep.equal({ value: frame });
    });
  }

  for (const [given, frame] of [
    [{ cursor: null }, {}],
    [{ from: null }, {}],
    [{ cursor: null, from: null }, {}],
    [{ cursor: null, from: "oldest" }, { from: "oldest" }],
    [{ cursor, from: null }, { cursor }],
    [{ cursor, after: null }, { cursor }],
  ]) {
    it(`takes ${JSON.stringify(given)} as what has no null in it`, () => {
      expect(parseResume(JSON.stringify({ action: "resume", ...given }))).to.deep.equal({
        value: { action: "resume", ...frame },
      });
    });
  }

  it("takes the cursor where both are given, and nothing that it does not know", () => {
    const frame = { action: "resume", cursor: { ...cursor, x: 1 }, from: "oldest", x: 1 };
    expect(parseResume(JSON.stringify(frame))).to.deep.equal({ value: { action: "resume", cursor } });
  });

  it("ignores `after` without a cursor, whose epoch it has", () => {
    const frame = { action: "resume", after: 5, from: "oldest" };
    expect(parseResume(JSON.stringify(frame))).to.deep.equal({ value: { action: "resume", from: "oldest" } });
  });

  for (const [body, reason] of [
    ['{"action":"resume","after":-1}', "after: got -1; allowed: a whole number from 0, or nothing"],
    [
      '{"action":"resume","after":"5"}',
      "after: got a string of 1 characters; allowed: a whole number from 0, or nothing",
    ],
    [undefined, "the frame is not JSON: got nothing"],
    [null, "the frame is not JSON: got nothing"],
    ["", "the frame is not JSON: got nothing"],
    ["{", "the frame is not JSON: got a string of 1 characters"],
    ["null", "the frame: got null; allowed: a JSON object"],
    ["[]", "the frame: got an array; allowed: a JSON object"],
    ["7", "the frame: got 7; allowed: a JSON object"],
    ["{}", "action: got nothing; allowed: resume"],
    ['{"action":"ack"}', "action: got a string of 3 characters; allowed: resume"],
    [
      '{"action":"resume","from":"newest"}',
      "from: got a string of 6 characters; allowed: acknowledged, oldest, or nothing",
    ],
    ['{"action":"resume","cursor":[]}', "cursor: got an array; allowed: an object of epoch and seq"],
    ['{"action":"resume","cursor":{"seq":1}}', "cursor.epoch: got nothing; allowed: the epoch of a message or a hello"],
    [
      '{"action":"resume","cursor":{"epoch":"","seq":1}}',
      "cursor.epoch: got a string of 0 characters; allowed: the epoch of a message or a hello",
    ],
    [
      '{"action":"resume","cursor":{"epoch":{},"seq":1}}',
      "cursor.epoch: got an object; allowed: the epoch of a message or a hello",
    ],
    ['{"action":"resume","cursor":{"epoch":"e"}}', "cursor.seq: got nothing; allowed: a whole number from 0"],
    ['{"action":"resume","cursor":{"epoch":"e","seq":-1}}', "cursor.seq: got -1; allowed: a whole number from 0"],
    ['{"action":"resume","cursor":{"epoch":"e","seq":1.5}}', "cursor.seq: got 1.5; allowed: a whole number from 0"],
    [
      '{"action":"resume","cursor":{"epoch":"e","seq":1e16}}',
      "cursor.seq: got 10000000000000000; allowed: a whole number from 0",
    ],
    [
      '{"action":"resume","cursor":{"epoch":"e","seq":"1"}}',
      "cursor.seq: got a string of 1 characters; allowed: a whole number from 0",
    ],
  ] as const) {
    it(`refuses ${JSON.stringify(body)}: ${reason}`, () => {
      expect(parseResume(body)).to.deep.equal({ reason });
    });
  }
});

describe("parseAcknowledgement", () => {
  for (const seq of [0, 3, 3.0, Number.MAX_SAFE_INTEGER]) {
    it(`takes a cursor with the number ${seq}`, () => {
      const frame = { action: "ack", cursor: { epoch: "e", seq } };
      expect(parseAcknowledgement(JSON.stringify(frame))).to.deep.equal({ value: frame });
    });
  }

  for (const [body, reason] of [
    ["{", "the frame is not JSON: got a string of 1 characters"],
    ['{"action":"resume"}', "action: got a string of 6 characters; allowed: ack"],
    ['{"action":"ack"}', "cursor: got nothing; allowed: an object of epoch and seq"],
    ['{"action":"ack","cursor":null}', "cursor: got nothing; allowed: an object of epoch and seq"],
    ['{"action":"ack","cursor":{"epoch":"e","seq":-1}}', "cursor.seq: got -1; allowed: a whole number from 0"],
  ] as const) {
    it(`refuses ${body}: ${reason}`, () => {
      expect(parseAcknowledgement(body)).to.deep.equal({ reason });
    });
  }

  it("quotes no string of a frame: a client may have put a token there", () => {
    const frames = ['"secret"', '{"action":"secret"}', '{"action":"ack","cursor":"secret"}', "secret"];
    const more = ['{"action":"ack","cursor":{"epoch":"e","seq":"secret"}}'];
    for (const frame of [...frames, ...more]) {
      expect(parseAcknowledgement(frame).reason).to.be.a("string").that.does.not.contain("secret");
    }
  });
});
