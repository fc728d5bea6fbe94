import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { expect } from "chai";
import { addressSources } from "../../cli/addressSources";
import type { DeadLetterSummary } from "../../cli/deadLetters/deadLetter";
import type { Redriven } from "../../cli/deadLetters/redrive";
import { run } from "../../cli/program";
import type { ListedSession } from "../../cli/sessions/listedSession";
import type { Terminal } from "../../cli/terminal";
import type { PolicyEntry } from "../../local/iam/policies";
import { type Recipient, recipient, Relay } from "../endToEnd/relay";
import { repository } from "../support/repository";

type Outcomes = Pick<Redriven, "id" | "outcome" | "notes" | "newMessageId" | "messageId">[];

describe("the command line with the local run", () => {
  let relay!: Relay;
  let sqs!: SQSClient;
  before(async () => {
    relay = await Relay.start(["--time-scale", "30"]);
    const { region, accessKeyId, secretAccessKey, awsEndpoint } = relay.addresses;
    sqs = new SQSClient({ region, endpoint: awsEndpoint, credentials: { accessKeyId, secretAccessKey } });
  });
  after(async () => {
    sqs.destroy();
    await relay.stop();
  });

  /** One run of the command line, without a terminal to ask on. */
  async function cli(...args: string[]) {
    const printed: string[] = [];
    const noted: string[] = [];
    const terminal: Terminal = {
      print: (text) => printed.push(text),
      note: (text) => noted.push(text),
      confirm: (question) => Promise.reject(new Error(question)),
      interrupted: new AbortController().signal,
    };
    const readStdin = () => Promise.resolve(JSON.stringify(relay.addresses));
    const exitCode = await run(["--addresses", "-", ...args], terminal, { ...addressSources, readStdin });
    return { stdout: printed.join("\n"), stderr: noted.join("\n"), exitCode };
  }

  /** The same as a process of its own, which is told the addresses through a pipe. */
  async function cliProcess(...args: string[]) {
    const child = spawn(process.execPath, ["-r", "./transpile", "cli/index.ts", "--addresses", "-", ...args], {
      cwd: repository,
    });
    child.stdin.end(JSON.stringify(relay.addresses));
    const [stdout, stderr, [exitCode]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, "exit"),
    ]);
    return { stdout, stderr, exitCode: exitCode as number };
  }

  async function json<T>(...args: string[]): Promise<T> {
    const { stdout, stderr, exitCode } = await cli("--json", ...args);
    expect(exitCode, stderr).to.equal(0);
    return JSON.parse(stdout) as T;
  }

  const listed = (...args: string[]) => json<{ letters: DeadLetterSummary[] }>("dead-letters", "list", ...args);

  /** A dead letter as `deliver` leaves one. */
  async function putLetter(to: Recipient, body: string, values: Record<string, string> = {}): Promise<void> {
    const attributes = { ...to, reason: "no-session", attempts: "10", originalMessageId: `of ${body}`, ...values };
    await sqs.send(
      new SendMessageCommand({
        QueueUrl: relay.addresses.deadLetterQueueUrl,
        MessageBody: body,
        MessageAttributes: Object.fromEntries(
          Object.entries(attributes).map(([name, StringValue]) => [name, { DataType: "String", StringValue }]),
        ),
      }),
    );
  }

  it("lists a user's dead letters without payloads, and keeps them", async () => {
    const [to, other] = [recipient(), recipient()];
    for (const { user } of [to, other]) {
      await relay.publish({ user, context: "chat", messageId: `to-${user}` }, "a secret of the user's");
      await relay.log({ event: "dead-lettered", messageId: `to-${user}` });
    }
    for (let run = 1; run <= 2; run++) {
      const { stdout, stderr, exitCode } = await cliProcess("dead-letters", "list", "--user", to.user);
      expect(exitCode, stderr).to.equal(0);
      const [titles, row, ...more] = stdout.trim().split("\n");
      expect(titles).to.match(/^sent at +user +context +contextId +reason +attempts +message id$/);
      expect(row).to.match(new RegExp(`^\\S+ +${to.user} +chat +- +missing-attribute: contextId +1 +to-${to.user}$`));
      expect(more).to.deep.equal([]);
      expect(stderr).to.match(/1 of \d+ dead letters read in the dead-letter queue match/);
      expect(stdout + stderr).not.to.include("secret");
    }
  });

  it("shows a dead letter in full, the payload only with --payload", async () => {
    const to = recipient();
    await putLetter(to, "the payload", { tenant: "t1" });
    const { stdout } = await cli("dead-letters", "show", "--message-id", "of the payload");
    expect(stdout)
      .to.match(/^reason +no-session$/m)
      .and.match(/^attribute tenant +t1$/m)
      .and.match(/^bytes +11$/m);
    expect(stdout).not.to.include("\n\nthe payload");
    const { stdout: full } = await cli("dead-letters", "show", "--message-id", "of the payload", "--payload");
    expect(full).to.match(/\n\nthe payload$/);
  });

  it("redrives a user's dead letters to the reconnected client, and keeps the others", async () => {
    const [to, other] = [recipient(), recipient()];
    await relay.publish({ ...to, messageId: `away-${to.user}` }, "while you were away for too long");
    await relay.log({ event: "dead-lettered", messageId: `away-${to.user}` });
    await putLetter(other, "for another");
    const client = await relay.connect(to);

    const planned = await json<{ letters: Outcomes }>("dead-letters", "redrive", "--user", to.user, "--dry-run");
    expect(planned.letters[0]?.outcome).to.equal("would-be-redriven");
    expect((await listed("--user", to.user)).letters).to.have.lengthOf(planned.letters.length);

    const { letters: deadLetters } = await json<{ letters: Outcomes }>("dead-letters", "redrive", "--user", to.user);
    await client.message("while you were away for too long");
    // A message may be dead-lettered twice, and then is redriven once.
    const [first, ...duplicates] = deadLetters.map(({ outcome }) => outcome);
    expect([first, ...new Set(duplicates)].join()).to.match(/^redriven(,skipped)?$/);
    expect((await listed("--user", to.user)).letters).to.have.lengthOf(duplicates.length);
    expect((await listed("--user", other.user)).letters).to.have.lengthOf(1);
    expect(client.messages).to.deep.equal(["while you were away for too long"]);
  });

  it("redrives an expired message as a new one, which is delivered", async () => {
    const to = recipient();
    const values = { reason: "expired", messageId: "old-id", expiresAt: "2020-01-01T00:00:00Z" };
    await putLetter(to, "late", values);
    const client = await relay.connect(to);
    const { letters: deadLetters } = await json<{ letters: Outcomes }>(
      "dead-letters",
      "redrive",
      "--reason",
      "expired",
    );
    expect(deadLetters).to.have.lengthOf(1);
    expect(deadLetters[0]).to.include({ outcome: "redriven", messageId: "old-id" });
    expect(deadLetters[0]?.notes.join()).to.match(/expired, so sent as a new message/);
    await client.message("late");
    const delivered = await relay.log({ event: "delivered", callerId: `user#${to.user}` });
    expect(delivered.messageId).to.equal(deadLetters[0]?.newMessageId).and.not.equal("old-id");
  });

  it("refuses to redrive a message that can never be delivered, with exit code 1", async () => {
    const to = recipient();
    await putLetter({ ...to, context: "a#b" }, "hopeless");
    const { stdout, exitCode } = await cli("dead-letters", "redrive", "--user", to.user);
    expect(exitCode).to.equal(1);
    expect(stdout).to.match(/^refused .*unusable-attribute: context contains #: can never be delivered/m);
    expect((await listed("--user", to.user)).letters).to.have.lengthOf(1);
  });

  it("redrives a dead letter of SNS, with at most as many attributes as a message can have", async () => {
    const to = recipient();
    const client = await relay.connect(to);
    const many = Object.fromEntries(Array.from({ length: 7 }, (_, index) => [`x${index}`, "1"]));
    const policies = await relay.controlled<PolicyEntry[]>("/policies");
    const policy = policies.find(({ of }) => of.endsWith(`:${relay.addresses.queueUrl.split("/").at(-1)}`));
    await relay.control("/policies", { of: policy?.of, document: null }, "PUT");
    await relay.publish({ ...to, ...many }, "many attributes");
    await relay.control("/policies", { of: policy?.of, document: policy?.document }, "PUT");
    const { letters: deadLetters } = await listed("--queue", "subscription", "--user", to.user);
    expect(deadLetters.map(({ reason, contextId, bytes }) => ({ reason, contextId, bytes }))).to.deep.equal([
      { reason: undefined, contextId: "7", bytes: 15 },
    ]);
    const redriven = await json<{ letters: Outcomes }>("dead-letters", "redrive", "--queue", "subscription");
    expect(redriven.letters[0]?.notes).to.deep.equal(["without the attributes x6: a message has at most ten"]);
    await client.message("many attributes");
    expect((await listed("--queue", "subscription")).letters).to.deep.equal([]);
  });

  it("purges only matching dead letters, and only with --yes without a terminal", async () => {
    const [to, other] = [recipient(), recipient()];
    await putLetter(to, "to be purged");
    await putLetter(other, "to be kept");
    const asked = await cliProcess("dead-letters", "purge", "--user", to.user);
    expect(asked.exitCode).to.equal(1);
    expect(asked.stdout).to.equal("");
    expect(asked.stderr).to.match(
      new RegExp(
        `Delete dead letters of user ${to.user}.*about 1, for good\\?.*stdin is not a terminal.*Fix: add --yes`,
      ),
    );
    const dry = await cli("dead-letters", "purge", "--user", to.user, "--dry-run");
    expect(dry.exitCode).to.equal(0);
    expect((await listed("--user", to.user)).letters).to.have.lengthOf(1);

    const { letters: deadLetters } = await json<{ letters: Outcomes }>(
      "dead-letters",
      "purge",
      "--user",
      to.user,
      "--yes",
    );
    expect(deadLetters.map(({ outcome }) => outcome)).to.deep.equal(["purged"]);
    expect((await listed("--user", to.user)).letters).to.deep.equal([]);
    expect((await listed("--user", other.user)).letters).to.have.lengthOf(1);
  });

  it("lists a user's connections including superseded ones, closes them all, and blocks the user", async () => {
    const to = recipient();
    const first = await relay.connect(to);
    const second = await relay.connect(to);
    const { sessions } = await json<{ sessions: ListedSession[] }>("sessions", "list", "--user", to.user);
    expect(sessions.map(({ state, context, contextId }) => [state, context, contextId])).to.deep.equal([
      ["live", "chat", "7"],
      ["superseded", "chat", "7"],
    ]);

    const asked = await cli("sessions", "disconnect", "--user", to.user);
    expect(asked.exitCode).to.equal(1);
    expect(asked.stderr).to.match(/Close every connection of user .* for 3600 s\?/);

    const closed = [first, second].map(({ socket }) => once(socket, "close"));
    const { stdout, stderr, exitCode } = await cli("sessions", "disconnect", "--user", to.user, "--yes");
    expect(exitCode, stderr).to.equal(0);
    expect(stdout).to.match(/^2 connections closed, 1 session cleared, handshakes refused until \S+Z$/m);
    await Promise.all(closed);
    const headers = { authorization: `Bearer ${await relay.token(to.user)}` };
    expect((await relay.handshake(relay.url(to), { headers })).status).to.equal(403);
    const after = await json<{ sessions: object[]; blockedUntil: string }>("sessions", "list", "--user", to.user);
    expect(after.sessions).to.deep.equal([]);
    expect(Date.parse(after.blockedUntil)).to.be.greaterThan(Date.now());
  });

  it("lets a user reconnect at once after a disconnect without a block", async () => {
    const to = recipient();
    const client = await relay.connect(to);
    const closed = once(client.socket, "close");
    const done = await json<object>("sessions", "disconnect", "--user", to.user, "--block-seconds", "0", "--yes");
    expect(done).to.deep.equal({ user: to.user, connectionsClosed: 1, sessionsCleared: 1 });
    await closed;
    await relay.connect(to);
  });
});
