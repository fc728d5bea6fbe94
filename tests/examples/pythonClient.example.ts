import { writeFileSync } from "node:fs";
import { expect } from "chai";
import type { Envelope, MessageEnvelope } from "../../protocol";
import { chunkBodies, chunkBody } from "../support/streams";
import { pause } from "../endToEnd/pause";
import { type Recipient, recipient, Relay } from "../endToEnd/relay";
import { ExampleCopy } from "./exampleCopy";
import { ScriptedRelay } from "./scriptedRelay";

const python = ".venv/bin/python";

interface Started {
  /** The name of its cursor's file. @default a file of its own */
  cursor?: string;
  flags?: string[];
}

describe("the Python client", function () {
  this.timeout(120_000);

  let example: ExampleCopy;
  let clients = 0;

  before(async () => {
    example = new ExampleCopy("python-client");
    await example.installProgram();
    await example.run("python3", ["-m", "venv", ".venv"]);
    const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"];
    await example.run(python, [...pip, "-r", "client/requirements.txt"]);
  });
  after(() => example?.remove());

  type Running = ReturnType<ExampleCopy["start"]>;

  function receive(
    websocketUrl: string,
    tokenUrl: string,
    { context, contextId }: Omit<Recipient, "user">,
    { cursor = `cursor-${(clients += 1)}.json`, flags = [] }: Started,
  ): Running {
    const quick = ["--idle-seconds", "0.5", "--answer-seconds", "2"];
    const session = ["--context", context, "--context-id", contextId, "--cursor", cursor];
    return example.start(python, ["client/receive.py", ...session, ...quick, ...flags], {
      env: { WEBSOCKET_URL: websocketUrl, TOKEN_URL: tokenUrl },
    });
  }

  const next = async (client: Running): Promise<Record<string, unknown>> =>
    JSON.parse(await client.line(/"event": "(message|stream|gap|superseded)"/)) as Record<string, unknown>;
  /** The next messages and gaps, shortly. */
  const told = async (client: Running, count: number): Promise<unknown[]> => {
    const events = [];
    while (events.length < count) {
      const { event, seq, body, first, lost } = await next(client);
      events.push(
        event === "message"
          ? `${String(seq)} ${String(body)}`
          : ((lost && `${String(lost)} before ${String(first)}`) ?? event),
      );
    }
    return events;
  };
  /** The next piece of a stream: where it begins, its text, and how it ends. */
  const piece = async (client: Running): Promise<unknown[]> => {
    const { event, id, offset, text, status, reason } = await next(client);
    expect([event, id]).to.deep.equal(["stream", "s1"]);
    return [offset, text, status, ...(reason === null ? [] : [reason])];
  };

  it("meets every requirement of the protocol", async () => {
    const client = [python, "client/conformance.py"];
    const command = ["pulumi-websocket-relay", "conformance", "--json", "--jobs", "20", "--", ...client];
    const { results } = JSON.parse(await example.run("npx", command)) as { results: { id: string; met: boolean }[] };
    expect(results).to.have.lengthOf.above(50);
    expect(results.filter(({ met }) => !met)).to.deep.equal([]);
  });

  for (const connections of ["newest", "all"]) {
    describe(`of a relay with connections ${connections}`, () => {
      let relay: Relay;
      let to: Recipient;
      before(async () => {
        const flags = ["--program", example.folder, "--stack", "local", "-c", `connections=${connections}`];
        relay = await Relay.start(flags);
      });
      beforeEach(() => (to = recipient()));
      after(() => relay?.stop());

      const start = (started: Started = {}) => {
        const { websocketUrl, tokenUrl } = relay.addresses;
        return receive(websocketUrl, `${tokenUrl}?user=${to.user}`, to, started);
      };
      const publish = async (...bodies: string[]) => {
        for (const body of bodies) {
          await relay.publish(to, body);
        }
      };
      /** The ids of the connections that are open. */
      const open = async () => (await relay.controlled<{ id: string }[]>("/connections")).map(({ id }) => id);
      const fault = async (how: "drop" | "half-open") => {
        const [id = ""] = await open();
        await relay.control(`/connections/${encodeURIComponent(id)}/${how}`);
      };

      it("gets what was published while it was away, and goes on where it was", async () => {
        await publish("one");
        const first = start({ cursor: `kept-${connections}.json` });
        expect(await told(first, 1)).to.deep.equal(["1 one"]);
        await publish("two");
        expect(await told(first, 1)).to.deep.equal(["2 two"]);
        expect(await first.stop(), "its exit code").to.equal(0);
        await publish("three");
        const second = start({ cursor: `kept-${connections}.json` });
        expect(await told(second, 1)).to.deep.equal(["3 three"]);
        await second.stop();
      });

      it("acknowledges what it has handled within the time that the relay asks for, and when it ends", async () => {
        const acknowledged = async () => (await relay.metrics())("Acknowledged");
        const before = await acknowledged();
        const client = start();
        await publish("one");
        await told(client, 1);
        while ((await acknowledged()) < before + 1) await pause();
        await publish("two");
        await told(client, 1);
        await client.stop();
        while ((await acknowledged()) < before + 2) await pause();
      });

      for (const how of ["drop", "half-open"] as const) {
        it(`recovers from a connection that is ${how === "drop" ? "dropped" : how}`, async () => {
          const client = start();
          await publish("before");
          expect(await told(client, 1)).to.deep.equal(["1 before"]);
          await fault(how);
          await publish("meanwhile");
          expect(await told(client, 1)).to.deep.equal(["2 meanwhile"]);
          await publish("after");
          expect(await told(client, 1)).to.deep.equal(["3 after"]);
          await client.stop();
        });
      }

      it("puts a stream together, over a connection that is dropped and over a restart", async () => {
        const bodies = chunkBodies(["Your ", "report ", "is ", "ready"]);
        const file = `stream-${connections}.json`;
        const first = start({ cursor: file });
        await publish(bodies[0] ?? "", "between");
        expect(await piece(first)).to.deep.equal([0, "Your ", "open"]);
        expect(await told(first, 1)).to.deep.equal(["2 between"]);
        await fault("drop");
        await publish(...bodies.slice(1, 3));
        let text = "";
        while (text !== "report is ") text += String((await piece(first))[1]);
        await first.stop();
        await publish(bodies[3] ?? "", chunkBody(20, "", { end: "closed" }));
        const second = start({ cursor: file });
        for (text = ""; ;) {
          const [offset, more, status] = await piece(second);
          expect(offset).to.equal(text.length);
          text += String(more);
          if (status === "closed") break;
        }
        expect(text, "the whole text, and no message again").to.equal("Your report is ready");
        await publish("after");
        expect(await told(second, 1)).to.deep.equal(["7 after"]);
        await second.stop();
      });

      it("replaces its connection before it ends, and loses and repeats nothing", async () => {
        const client = start({ flags: ["--lifetime-seconds", "2"] });
        const seen = new Set<string>();
        let published = 0;
        while (seen.size < 4) {
          await publish(`message ${(published += 1)}`);
          expect(await told(client, 1)).to.deep.equal([`${published} message ${published}`]);
          (await open()).forEach((id) => seen.add(id));
        }
        await client.stop();
      });

      it("tells that messages are missing where its cursor is of another history, and shows what there is", async () => {
        await publish("one");
        writeFileSync(example.path("stale.json"), '{"epoch": "another", "seq": 17}');
        const client = start({ cursor: "stale.json" });
        expect(await told(client, 2)).to.deep.equal(["epoch before 1", "1 one"]);
        await client.stop();
      });

      it("lets the page of the local run connect", async () => {
        expect(await relay.pageHandshake(recipient())).to.equal(101);
      });

      if (connections === "newest") {
        it("ends when another client takes the session, and says so by its exit code", async () => {
          const first = start();
          await publish("one");
          await told(first, 1);
          const second = start({ flags: ["--start", "oldest"] });
          expect(await told(first, 1)).to.deep.equal(["superseded"]);
          expect(await first.stop()).to.equal(3);
          expect(await told(second, 1)).to.deep.equal(["1 one"]);
          await second.stop();
        });
      } else {
        it("gets every message next to another client of the session, each from a cursor of its own", async () => {
          const first = start({ cursor: "first.json" });
          const second = start({ cursor: "second.json" });
          await publish("one");
          expect([await told(first, 1), await told(second, 1)]).to.deep.equal([["1 one"], ["1 one"]]);
          await second.stop();
          await publish("two");
          expect(await told(first, 1)).to.deep.equal(["2 two"]);
          await first.stop(); // It acknowledges 2, for both.
          const again = start({ cursor: "second.json" });
          expect(await told(again, 1)).to.deep.equal(["2 two"]);
          await again.stop();
        });
      }
    });
  }

  describe("of a relay that does what the protocol allows", () => {
    let relay: ScriptedRelay;
    let client: Running;
    beforeEach(async () => (relay = await ScriptedRelay.start()));
    afterEach(async () => {
      await client?.stop();
      await relay?.stop();
    });

    const start = (flags: string[] = [], cursor?: object) => {
      const name = `scripted-${(clients += 1)}.json`;
      if (cursor) writeFileSync(example.path(name), JSON.stringify(cursor));
      const quick = ["--idle-seconds", "60", ...flags];
      const to = { context: "a chat", contextId: "7+8" };
      client = receive(`ws://${relay.authority}/live`, `http://${relay.authority}/token`, to, {
        cursor: name,
        flags: quick,
      });
    };
    const message = (seq: number, epoch = "e"): MessageEnvelope => {
      return { type: "message", epoch, seq, id: `id-${seq}`, body: `m${seq}` };
    };
    /** The answer to a resume: `first` to `through`, and that many messages. */
    const answer = (first: number, through: number, newest = through, epoch = "e"): Envelope[] => {
      const messages = Array.from({ length: through - first + 1 }, (_, at) => message(first + at, epoch));
      return [
        { type: "hello", epoch, oldest: 1, newest },
        { type: "resumed", recovered: true, first, through },
        ...messages,
      ];
    };
    const cursor = (seq: number, epoch = "e") => ({ action: "resume", cursor: { epoch, seq } });

    it("sends its token and its session with the handshake, and again after one that was refused", async () => {
      relay.refusals = 1;
      start();
      const connection = await relay.connection();
      expect(relay.handshakes).to.have.lengthOf(2);
      for (const { query, authorization } of relay.handshakes) {
        expect(Object.fromEntries(query)).to.deep.equal({ context: "a chat", contextId: "7+8" });
        expect(authorization).to.equal("Bearer a-token");
      }
      expect(await connection.next()).to.deep.equal({ action: "resume", from: "acknowledged" });
    });

    it("shows messages in order and once, whatever overtakes or comes again", async () => {
      start([], { epoch: "e", seq: 1 });
      const connection = await relay.connection();
      expect(await connection.next()).to.deep.equal(cursor(1));
      connection.send(message(4)); // Live, before the answer.
      connection.send(answer(2, 3));
      connection.send(message(3));
      connection.send(message(6));
      connection.send(message(5));
      expect(await told(client, 5)).to.deep.equal(["2 m2", "3 m3", "4 m4", "5 m5", "6 m6"]);
    });

    it("asks for a number that does not come, and counts one that has expired as seen", async () => {
      start();
      const connection = await relay.connection();
      await connection.next();
      connection.send(answer(1, 1));
      connection.send(message(4));
      expect(await connection.next()).to.deep.equal(cursor(1));
      const [hello, resumed, , ...rest] = answer(2, 4);
      const expired = { type: "message", epoch: "e", seq: 2, id: "id-2", expired: true } as const;
      connection.send([hello, resumed, expired, ...rest] as Envelope[]);
      expect(await told(client, 3)).to.deep.equal(["1 m1", "3 m3", "4 m4"]);
    });

    /** A stream's messages as one envelope. */
    const joined = (first: number, seq: number, body: string): MessageEnvelope => ({ ...message(seq), first, body });
    /** A stream's message. */
    const chunk = (seq: number, ...given: Parameters<typeof chunkBody>): MessageEnvelope => {
      return { ...message(seq), body: chunkBody(...given) };
    };

    it("takes an envelope for all numbers that it covers, early and where it has some of them", async () => {
      start([], { epoch: "e", seq: 1 });
      const connection = await relay.connection();
      await connection.next();
      connection.send(joined(4, 6, chunkBody(2, "cde"))); // Live, before the answer.
      const [hello, resumed] = answer(2, 3);
      connection.send([hello, resumed, joined(2, 3, chunkBody(0, "ab"))] as Envelope[]);
      expect(await piece(client)).to.deep.equal([0, "abcde", "open"]);
      connection.send(joined(5, 8, chunkBody(3, "defg")));
      expect(await piece(client)).to.deep.equal([5, "fg", "open"]);
      connection.send(joined(2, 8, chunkBody(0, "abcdefg")));
      connection.send(message(9));
      expect(await told(client, 1)).to.deep.equal(["9 m9"]);
    });

    it("puts a stream's chunks into the order of their offsets, which count UTF-16 code units", async () => {
      start();
      const connection = await relay.connection();
      await connection.next();
      connection.send(answer(1, 0));
      connection.send(chunk(1, 5, "!", { end: "closed" }));
      connection.send(chunk(2, 1, "😀é")); // Stored before the first.
      connection.send(chunk(3, 0, "a"));
      expect(await piece(client)).to.deep.equal([0, "a😀é", "open"]);
      connection.send(chunk(4, 4, "")); // A keep-alive.
      connection.send(chunk(5, 0, "a😀é?"));
      expect(await piece(client)).to.deep.equal([4, "?!", "closed"]);
      connection.send(chunk(6, 6, "late"));
      connection.send({ ...message(7), body: '{"type": "websocket-relay.stream", "id": 7}' });
      expect(await told(client, 1)).to.deep.equal(['7 {"type": "websocket-relay.stream", "id": 7}']);
    });

    it("tells why a stream was aborted", async () => {
      start();
      const connection = await relay.connection();
      await connection.next();
      connection.send(answer(1, 0));
      connection.send(chunk(1, 0, "ab"));
      expect(await piece(client)).to.deep.equal([0, "ab", "open"]);
      connection.send(chunk(2, 2, "", { end: "aborted", reason: "overloaded" }));
      expect(await piece(client)).to.deep.equal([2, "", "aborted", "overloaded"]);
    });

    it("tells that a stream has timed out, and goes on after it", async () => {
      start(["--stream-timeout-seconds", "0.3"]);
      const connection = await relay.connection();
      await connection.next();
      const [hello, ...rest] = answer(1, 0);
      connection.send([{ ...hello, ackSeconds: 1 }, ...rest] as Envelope[]);
      connection.send(chunk(1, 0, "ab"));
      connection.send(chunk(2, 3, "d")); // What is before it never comes.
      expect(await piece(client)).to.deep.equal([0, "ab", "open"]);
      expect(await piece(client)).to.deep.equal([2, "", "timed-out"]);
      connection.send(chunk(3, 2, "c"));
      connection.send(message(4));
      expect(await told(client, 1)).to.deep.equal(["4 m4"]);
      expect(await connection.next()).to.deep.include({ action: "ack" });
    });

    it("acknowledges nothing after the beginning of an open stream, and asks for what follows that it has", async () => {
      start();
      const connection = await relay.connection();
      await connection.next();
      connection.send(answer(1, 1));
      connection.send(chunk(2, 0, "a"));
      connection.send(message(3));
      connection.send(message(5));
      const asked = { ...cursor(1), after: 3 };
      expect(await connection.next()).to.deep.equal(asked);
      connection.close();
      const another = await relay.connection();
      expect(await another.next()).to.deep.equal(asked);
      const [hello, resumed] = answer(4, 4);
      another.send([hello, resumed, chunk(4, 1, "b", { end: "closed" })] as Envelope[]);
      another.send({ type: "superseded" });
      expect(await another.next()).to.deep.equal({ action: "ack", cursor: { epoch: "e", seq: 5 } });
    });

    it("begins after a restart with the open stream, and shows no other message again", async () => {
      start([], { epoch: "e", seq: 1, handled: 3 });
      const connection = await relay.connection();
      expect(await connection.next()).to.deep.equal(cursor(1));
      const [hello, resumed, , third, fourth] = answer(2, 4);
      connection.send([hello, resumed, chunk(2, 0, "ab"), third, fourth] as Envelope[]);
      expect(await piece(client)).to.deep.equal([0, "ab", "open"]);
      expect(await told(client, 1)).to.deep.equal(["4 m4"]);
    });

    it("asks for the next page as soon as it has one", async () => {
      start();
      const connection = await relay.connection();
      await connection.next();
      connection.send(answer(1, 2, 3));
      expect(await connection.next()).to.deep.equal(cursor(2));
      connection.send(answer(3, 3));
      expect(await told(client, 3)).to.deep.equal(["1 m1", "2 m2", "3 m3"]);
    });

    it("asks for number 1 of a session that was empty, where number 2 comes first", async () => {
      start();
      const connection = await relay.connection();
      await connection.next();
      connection.send([
        { type: "hello", oldest: 1, newest: 0 },
        { type: "resumed", recovered: true, first: 1, through: 0 },
      ]);
      connection.send(message(2));
      expect(await connection.next()).to.deep.equal(cursor(0));
      connection.send(answer(1, 2));
      expect(await told(client, 2)).to.deep.equal(["1 m1", "2 m2"]);
    });

    it("resumes an empty session from the oldest message after a connection was lost", async () => {
      start();
      const connection = await relay.connection();
      await connection.next();
      connection.send([
        { type: "hello", oldest: 1, newest: 0 },
        { type: "resumed", recovered: true, first: 1, through: 0 },
      ]);
      connection.close();
      const another = await relay.connection();
      expect(await another.next()).to.deep.equal({ action: "resume", from: "oldest" });
      another.send(answer(2, 2)); // Number 1 is not available any more.
      expect(await told(client, 2)).to.deep.equal(["expired before 2", "2 m2"]);
    });

    it("asks again when a message of another epoch comes, and takes the new history", async () => {
      start([], { epoch: "e", seq: 5 });
      const connection = await relay.connection();
      await connection.next();
      connection.send(answer(6, 6));
      connection.send(message(1, "f"));
      expect(await connection.next()).to.deep.equal(cursor(6));
      connection.send([
        { type: "hello", epoch: "f", oldest: 1, newest: 1 },
        { type: "resumed", recovered: false, lost: "epoch", first: 1, through: 1 },
        message(1, "f"),
      ]);
      expect(await told(client, 3)).to.deep.equal(["6 m6", "epoch before 1", "1 m1"]);
    });

    it("takes a late message of the epoch before for nothing, after it has asked", async () => {
      start([], { epoch: "e", seq: 5 });
      const connection = await relay.connection();
      await connection.next();
      connection.send(message(9, "d"));
      connection.send(answer(6, 6));
      expect(await connection.next()).to.deep.equal(cursor(6));
      connection.send(answer(7, 7));
      expect(await told(client, 2)).to.deep.equal(["6 m6", "7 m7"]);
    });

    for (const [what, refusal] of [
      ["unavailable", { type: "error", code: "unavailable", message: "a fault", action: "resume" }],
      ["an error of API Gateway", { message: "Internal server error", connectionId: "c", requestId: "r" }],
      ["too many requests", { message: "Too Many Requests", connectionId: "c", requestId: "r" }],
    ] as const) {
      it(`resumes over the same connection after ${what}`, async () => {
        start();
        const connection = await relay.connection();
        await connection.next();
        connection.send(refusal);
        expect(await connection.next()).to.deep.equal({ action: "resume", from: "acknowledged" });
        connection.send(answer(1, 1));
        expect(await told(client, 1)).to.deep.equal(["1 m1"]);
      });
    }

    it("opens another connection when the relay does not know this one, and when a ping has no answer", async () => {
      start(["--idle-seconds", "0.2", "--answer-seconds", "0.2"]);
      const connection = await relay.connection();
      await connection.next();
      connection.send({ type: "error", code: "no-session", message: "unknown" });
      expect(await connection.closed).to.equal(1000);
      const another = await relay.connection();
      expect(await another.next()).to.deep.equal({ action: "resume", from: "acknowledged" });
      another.send(answer(1, 1));
      expect(await another.next()).to.deep.equal({ action: "ping" });
      another.send({ type: "pong" });
      expect(await another.next()).to.deep.equal({ action: "ping" });
      const third = await relay.connection();
      expect(await third.next()).to.deep.equal(cursor(1));
    });

    it("opens the next connection before it closes one, and takes being superseded by itself for no end", async () => {
      start(["--lifetime-seconds", "2"]);
      const old = await relay.connection();
      await old.next();
      old.send(answer(1, 1));
      const replacement = await relay.connection();
      old.send({ type: "superseded" });
      old.send(message(2)); // Late, but in order.
      expect(await told(client, 2)).to.deep.equal(["1 m1", "2 m2"]);
      const { cursor: sent } = (await replacement.next()) as { cursor: { seq: number } };
      replacement.send(answer(sent.seq + 1, 3));
      expect(await told(client, 1)).to.deep.equal(["3 m3"]);
      expect(await old.closed).to.equal(1000);
    });

    it("acknowledges when it is superseded, closes its connection, and ends", async () => {
      start();
      const connection = await relay.connection();
      await connection.next();
      connection.send(answer(1, 2));
      connection.send({ type: "superseded" });
      expect(await connection.next()).to.deep.equal({ action: "ack", cursor: { epoch: "e", seq: 2 } });
      expect(await connection.closed).to.equal(1000);
      expect(await told(client, 3)).to.deep.equal(["1 m1", "2 m2", "superseded"]);
      expect(await client.stop()).to.equal(3);
    });

    it("sends one acknowledgement for all that it handles within the time that hello has", async () => {
      start();
      const connection = await relay.connection();
      await connection.next();
      const [hello, ...rest] = answer(1, 2);
      connection.send([{ ...hello, ackSeconds: 1 }, ...rest] as Envelope[]);
      connection.send(message(3));
      expect(await connection.next()).to.deep.equal({ action: "ack", cursor: { epoch: "e", seq: 3 } });
      connection.send(message(4));
      expect(await connection.next()).to.deep.equal({ action: "ack", cursor: { epoch: "e", seq: 4 } });
    });
  });

  it("refuses a cursor's file that it did not write, and says what to do", async () => {
    writeFileSync(example.path("bad.json"), "{}");
    const session = ["--context", "chat", "--context-id", "7", "--cursor", "bad.json"];
    const env = { WEBSOCKET_URL: "ws://127.0.0.1:9/live", TOKEN_URL: "http://127.0.0.1:9/" };
    const failed = await example.run(python, ["client/receive.py", ...session], { env }).then(
      () => "nothing",
      (error: Error) => error.message,
    );
    expect(failed).to.match(/bad\.json: got '\{\}'; allowed: a cursor that this client wrote; delete the file/);
  });
});
