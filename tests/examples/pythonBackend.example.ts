import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { expect } from "chai";
import { messageGroupOf } from "../../backend/messageGroup";
import { type Recipient, recipient, Relay } from "../endToEnd/relay";
import { ReplayClient } from "../endToEnd/replayClient";
import { ExampleCopy } from "./exampleCopy";

const python = ".venv/bin/python";

describe("the backend of the Python example", function () {
  this.timeout(120_000);

  let example: ExampleCopy;

  before(async () => {
    example = new ExampleCopy("python-backend");
    await example.installProgram();
    await example.run("python3", ["-m", "venv", ".venv"]);
    const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"];
    await example.run(python, [...pip, "-r", "backend/requirements.txt"]);
  });
  after(() => example?.remove());

  for (const ordering of ["strict", "standard"]) {
    describe(`with ordering ${ordering}`, () => {
      let relay: Relay;
      let to: Recipient;
      before(async () => {
        relay = await Relay.start(["--program", example.folder, "--stack", "local", "-c", `ordering=${ordering}`]);
        writeFileSync(example.path("relay.json"), JSON.stringify(relay.addresses));
      });
      beforeEach(() => (to = recipient()));
      after(() => relay?.stop());

      /** Where `local.sh` says that the local run is. */
      const local = (command: string): [string, string[]] => ["bash", ["-ec", `. ./local.sh; exec ${command}`]];
      const publish = async (...args: string[]): Promise<string[]> => {
        const { user, context, contextId } = to;
        const address = ["--user", user, "--context", context, "--context-id", contextId];
        const quoted = [...address, ...args].map((arg) => `'${arg}'`).join(" ");
        const printed = await example.run(...local(`${python} backend/publish.py ${quoted}`));
        return printed.trim().split("\n");
      };

      it("publishes to a client that was away, and reads the receipt once the client has acknowledged", async () => {
        const receipts = example.start(...local(`${python} backend/receipts.py`));
        await receipts.line(/"event": "reading"/);
        const bodies = ["one", "two, with \u00e4", "three"];
        const ids = await publish(...bodies);
        expect(ids).to.have.lengthOf(3);

        const client = await ReplayClient.connect(relay, to);
        client.send({ action: "resume" });
        while (client.messages.length < 3) await once(client.client.socket, "message");
        if (ordering === "strict") expect(client.messages.map(([, body]) => body)).to.deep.equal(bodies);
        else expect(client.messages.map(([, body]) => body)).to.have.members(bodies);

        // The epoch of a message: the hello of a resume that comes before the first message is stored has none.
        await client.acknowledge(3);
        const read = [];
        for (let each = 0; each < 3; each++) read.push(JSON.parse(await receipts.line(/"messageId"/)) as object);
        for (const receipt of read) expect(receipt).to.include({ status: "delivered", user: to.user });
        expect(read.map((receipt) => (receipt as { messageId: string }).messageId)).to.have.members(ids);
        expect(await receipts.stop(), "its exit code").to.equal(0);
        await client.client.close();
      });

      it("lets the page of the local run connect", async () => {
        expect(await relay.pageHandshake(recipient())).to.equal(101);
      });

      it("has a message that it published twice delivered once", async () => {
        const ids = [
          await publish("--message-id", "order-7", "once"),
          await publish("--message-id", "order-7", "once"),
        ];
        expect(ids.flat()).to.deep.equal(["order-7", "order-7"]);
        await publish("last");
        const client = await ReplayClient.connect(relay, to);
        client.send({ action: "resume" });
        while (!client.messages.some(([, body]) => body === "last")) await once(client.client.socket, "message");
        expect(client.messages.map(([, body]) => body)).to.have.members(["once", "last"]);
        await client.client.close();
      });
    });
  }

  it("puts a session into the message group of the TypeScript helper, so that both keep one order", async () => {
    const key = { callerId: 'user#Zo\u00eb "1"', context: "chat#7" };
    const script = "from relay import message_group_of; print(message_group_of('Zo\u00eb \"1\"', 'chat', '7'))";
    const printed = await example.run(`../${python}`, ["-c", script], { folder: "backend" });
    expect(printed.trim()).to.equal(messageGroupOf(key));
  });

  for (const [what, call, refusal] of [
    ["a context with #", "context='a#b'", "context has no #"],
    ["a message above 128 KB", "message='x' * 131_073", "message: 131073 bytes; allowed: 1 to 131072"],
    ["a character that SQS refuses", "context_id='a\\u0001'", "context_id: got U\\+0001"],
    ["a time without a time zone", "expires_at=datetime(2030, 1, 1)", "expires_at: .* without a time zone"],
  ] as const) {
    it(`refuses ${what} before it publishes`, async () => {
      const given = `dict(user='42', context='chat', context_id='7', message='hello') | dict(${call})`;
      const script = `from datetime import datetime; from relay import publish; publish(None, 'arn', **(${given}))`;
      const failed = await example.run(`../${python}`, ["-c", script], { folder: "backend" }).then(
        () => "nothing",
        (error: Error) => error.message,
      );
      expect(failed).to.match(new RegExp(`ValueError: .*${refusal}`));
    });
  }
});
