import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { recipient, Relay } from "./relay";
import { repository } from "../support/repository";

const copied = ["index.ts", "transpile.js", "Pulumi.yaml", "Pulumi.dev.yaml", "package.json", "tsconfig.json"];
const copiedFolders = ["components", "backend", "client", "handlers", "protocol", "local", "docs"];

describe("a change in components/", () => {
  let folder: string;
  let relay: Relay | undefined;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "relay-"));
    for (const name of [...copied, ...copiedFolders])
      cpSync(join(repository, name), join(folder, name), { recursive: true });
    symlinkSync(join(repository, "node_modules"), join(folder, "node_modules"));
  });
  afterEach(async () => {
    await relay?.stop();
    relay = undefined;
    rmSync(folder, { recursive: true });
  });

  const startWith = async (file: string, text: string, changed: string): Promise<Relay> => {
    const path = join(folder, "components", file);
    const source = readFileSync(path, "utf8");
    expect(source.split(text), `${text} in ${file}`).to.have.lengthOf(2);
    writeFileSync(
      path,
      source.replace(text, () => changed),
    );
    relay = await Relay.start(["--time-scale", "60"], folder);
    return relay;
  };

  it("that takes the gateway's permission away is answered 500 to every handshake, as on AWS", async () => {
    const started = await startWith("gateway/lambdaRoute.ts", "executionArn}/*/${routeKey}`", "executionArn}/*/other`");
    const to = recipient();
    const headers = { authorization: `Bearer ${await started.token(to.user)}` };
    expect((await started.handshake(started.url(to), { headers })).status).to.equal(500);
    expect(await started.session(to)).to.equal(undefined);
  });

  it("that takes the retry queue's policy away sends its messages to the subscription's dead-letter queue", async () => {
    const started = await startWith(
      "ingress/publisher.ts",
      "queuePolicy(`${name}-queue`, this.queue, this.topicArn, child)",
      "queuePolicy(`${name}-queue`, this.queue, undefined, child)",
    );
    const to = recipient();
    await started.connect(to);
    await started.publish(to, "denied");
    const deadLetter = await started.deadLetter("denied", started.addresses.subscriptionDeadLetterQueueUrl);
    expect(deadLetter.MessageAttributes?.user?.StringValue).to.equal(to.user);
    expect(deadLetter.MessageAttributes).not.to.have.property("reason");
  });

  it("that lowers the queue's maxReceiveCount lets its net catch a message of a crashed function, unchanged", async () => {
    const started = await startWith(
      "ingress/publisher.ts",
      "maxReceiveCount: args.maxReceiveCount",
      "maxReceiveCount: 1",
    );
    const to = recipient();
    await started.connect(to);
    await started.fault({ crash: "deliver", times: 1 });
    await started.publish(to, "caught by the net");
    const deadLetter = await started.deadLetter("caught by the net");
    expect(deadLetter.MessageAttributes).not.to.have.property("reason");
  });
});
