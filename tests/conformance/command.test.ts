import { expect } from "chai";
import { run } from "../../cli/program";
import type { Terminal } from "../../cli/terminal";
import { builtAdapter } from "./builtAdapter";

/** A client in a few words: it runs on Node with the package ws. */
const client = (script: string) => [process.execPath, "-e", script];
const connects = `
  const { WebSocket } = require(${JSON.stringify(require.resolve("ws"))});
  const socket = new WebSocket(process.env.RELAY_URL, ["websocket-relay.v1"]);
  process.stdin.on("end", () => socket.close()).resume();
`;

describe("conformance", function () {
  this.timeout(60_000);

  const adapter = builtAdapter();

  async function conformance(flags: string[], command: string[], interrupted = new AbortController().signal) {
    const printed: string[] = [];
    const noted: string[] = [];
    const terminal: Terminal = {
      print: (text) => printed.push(text),
      note: (text) => noted.push(text),
      confirm: () => Promise.reject(new Error("unexpected question")),
      interrupted,
    };
    const none = () => Promise.reject(new Error("conformance needs no relay"));
    const sources = { readFile: none, readStdin: none, stackOutput: none };
    const exitCode = await run(["conformance", ...flags, "--", ...command], terminal, sources);
    return { exitCode, printed: printed.join("\n"), noted: noted.join("\n") };
  }

  it("prints each requirement with what a client does, and exits with 0 if all that it must meet are met", async () => {
    const { exitCode, printed, noted } = await conformance(["--only", "H1,r1.1"], adapter.command);
    expect(printed)
      .to.match(/^met {6}H1 {4}must {4}offers the subprotocol/m)
      .and.match(/^met {6}R1\.1 {2}must/m)
      .and.match(/^Met: 2 of 2 that a client must meet, 0 of 0 that a client should meet\.$/m);
    expect(noted).to.match(/^1\/2 .* met\n2\/2 .* met$/);
    expect(exitCode).to.equal(0);
  });

  it("exits with 1 and says what was expected if a client does not meet what it must", async () => {
    const { exitCode, printed } = await conformance(["--only", "R3.2"], [...adapter.command, "R3.2"]);
    expect(printed).to.match(/^NOT MET {2}R3\.2 {2}must .*\n {9}expected the message "m3" after .*; got "m2"/m);
    expect(exitCode).to.equal(1);
  });

  it("exits with 0 if a client does not meet what it only should", async () => {
    const { exitCode, printed } = await conformance(["--only", "H4"], [...adapter.command, "H4"]);
    expect(printed).to.match(/^NOT MET {2}H4/m);
    expect(exitCode).to.equal(0);
  });

  it("prints one line of JSON with --json, and no progress", async () => {
    const { printed, noted } = await conformance(["--json", "--only", "H1,H4"], [...adapter.command, "H4"]);
    const { passed, results } = JSON.parse(printed) as { passed: boolean; results: { id: string; met: boolean }[] };
    expect(passed).to.equal(true);
    expect(results.map(({ id, met }) => [id, met])).to.deep.equal([
      ["H1", true],
      ["H4", false],
    ]);
    expect(noted).to.equal("");
  });

  const reports: [string, string[], string[], RegExp][] = [
    [
      "that ends with an error",
      ["--only", "R1.1"],
      client("console.error('no such module'); process.exit(7)"),
      /expected a connection; the client has ended: exit code 7\. The end of its stderr:\s+no such module/,
    ],
    [
      "that ends while it should be connected",
      ["--only", "R3.1"],
      client(`${connects} socket.on("open", () => process.exit(0))`),
      /the client has ended: exit code 0/,
    ],
    [
      "that never connects",
      ["--only", "H1", "--time-limit", "1"],
      client("setInterval(() => {}, 1_000)"),
      /expected a handshake within 1 s; it did not come; the client has never connected to ws:/,
    ],
    [
      "that prints something else on stdout",
      ["--only", "R1.1"],
      client(`console.log("connecting …"); ${connects}`),
      /the client printed "connecting …" on stdout, .*Fix: print logs on stderr/,
    ],
    [
      "that prints a message without its number",
      ["--only", "R1.1"],
      client(`console.log('{"type":"message","body":"m1"}'); ${connects}`),
      /a message without its seq/,
    ],
    ...(
      [
        ["an unknown action", "JSON.stringify({ action: 'subscribe' })", /its action is none of resume, ack and ping/],
        [
          "a cursor without an epoch",
          "JSON.stringify({ action: 'resume', cursor: { seq: 1 } })",
          /cursor\.epoch: got nothing/,
        ],
        [
          "an unknown start",
          "JSON.stringify({ action: 'resume', from: 'newest' })",
          /from: got a string of 6 characters; allowed: acknowledged, oldest/,
        ],
        [
          "an after that is no number",
          "JSON.stringify({ action: 'resume', after: '1' })",
          /after: got a string of 1 characters; allowed: a whole number/,
        ],
        [
          "an ack without a cursor",
          "JSON.stringify({ action: 'ack', cursor: null })",
          /cursor: got nothing; allowed: an object of epoch and seq/,
        ],
        ["text that is not JSON", "'resume'", /resume, which is not JSON/],
        ["a list", "'[]'", /it is not a JSON object/],
        ["a binary frame", "Buffer.from('{}')", /a binary frame/],
        ["a frame above 32 KB", "JSON.stringify({ action: 'ping', pad: 'x'.repeat(33_000) })", /more than 32768/],
      ] as const
    ).map(([what, frame, reason]): [string, string[], string[], RegExp] => [
      `that sends ${what}`,
      ["--only", "R3.1", "--time-limit", "10"],
      client(`${connects} socket.on("open", () => socket.send(${frame}))`),
      reason,
    ]),
  ];
  for (const [what, flags, command, reason] of reports) {
    it(`reports a client ${what}`, async () => {
      const { exitCode, printed } = await conformance(flags, command);
      expect(printed).to.match(reason);
      expect(exitCode).to.equal(1);
    });
  }

  it("ends a client by SIGTERM that does not notice the end of its stdin, with all that it has started", async () => {
    const deaf = `
      const { WebSocket } = require(${JSON.stringify(require.resolve("ws"))});
      new WebSocket(process.env.RELAY_URL, ["websocket-relay.v1"]);
    `;
    const command = ["sh", "-c", `${process.execPath} -e '${deaf}' & wait`];
    expect(await conformance(["--only", "H1"], command)).to.include({ exitCode: 0 });
  });

  const refused: [string, string[], string[], RegExp][] = [
    ["a program that does not exist", [], ["no-such-client"], /cannot be started: spawn no-such-client ENOENT\. Fix:/],
    ["an unknown requirement", ["--only", "H1,R99"], ["true"], /'H1,R99' is invalid\. Allowed: H1, H2, /],
    ["no jobs", ["--jobs", "0"], ["true"], /Allowed: a whole number from 1 to 100/],
    ["no command", [], [], /missing required argument 'command'/],
  ];
  for (const [what, flags, command, error] of refused) {
    it(`refuses ${what}`, async () => {
      const { exitCode, noted } = await conformance(flags, command);
      expect(noted).to.match(error);
      expect(exitCode).to.equal(1);
    });
  }

  it("ends its clients after Ctrl-C, and exits with 130", async () => {
    const interrupted = new AbortController();
    const going = conformance(["--only", "R8.4"], adapter.command, interrupted.signal);
    interrupted.abort();
    expect(await going).to.include({ exitCode: 130 });
  });
});
