import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect } from "chai";
import { stop } from "esbuild";
import ts from "typescript";
import { RelayClient } from "../../../client";
import { Arrivals } from "../../../local/page/arrivals";
import { arrowOf, columns, isHeartbeat } from "../../../local/page/diagramLayout";
import { cutInWords, receivedInWords, stateHelp, stateLabels, timeOfDay } from "../../../local/page/inWords";
import { OwnConnections } from "../../../local/page/ownConnections";
import { pageAssets } from "../../../local/control/pageAssets";
import { participants } from "../../../local/trace/traceEvent";

const folder = resolve(__dirname, "../../../local/page");

describe("the page's sources", () => {
  it("compile against a browser's library, and nothing of Node", () => {
    const file = resolve(folder, "tsconfig.json");
    const { config } = ts.readConfigFile(file, ts.sys.readFile) as { config: object };
    const { fileNames, options, errors } = ts.parseJsonConfigFileContent(config, ts.sys, folder);
    expect(fileNames).to.include(resolve(folder, "page.ts"));
    const found = [...errors, ...ts.getPreEmitDiagnostics(ts.createProgram(fileNames, options))];
    expect(found.map(({ messageText }) => messageText)).to.deep.equal([]);
  });

  it("find every element that they ask for", () => {
    const html = readFileSync(resolve(folder, "index.html"), "utf8");
    const scripts = ["page.ts", "messageList.ts", "rawPanel.ts"]
      .map((name) => readFileSync(resolve(folder, name), "utf8"))
      .join("\n");
    const asked = [
      ...scripts.matchAll(
        /\b(?:element(?:<\w+>)?|input|say|sayResult|enable)\("([\w-]+)"|\bon\("([\w-]+)", "\w+", "([\w-]+)"/g,
      ),
    ]
      .flatMap(([, ...ids]) => ids)
      .filter((id) => id !== undefined);
    expect(asked).to.include.members(["connect-form", "state-help", "disconnect"]);
    expect(asked.filter((id) => !html.includes(`id="${id}"`))).to.deep.equal([]);
  });

  it("label every input and name every button", () => {
    const html = readFileSync(resolve(folder, "index.html"), "utf8");
    const outside = html.replace(/<label[^>]*>[^]*?<\/label>/g, "");
    expect(outside).not.to.include("<input");
    expect(html).not.to.match(/<button[^>]*>\s*<\/button>|tabindex="[1-9]/);
  });

  it("have every page of the docs, as text, and each one that index.html links to", async () => {
    const assets = await pageAssets();
    await stop();
    const links = [...(assets.get("/")?.body ?? "").matchAll(/href="(docs\/[^"]+)"/g)].map(([, path]) => `/${path}`);
    expect(links).to.include("/docs/replay.md");
    for (const path of [...links, "/docs/in-your-program.md"]) {
      expect(assets.get(path)?.contentType, path).to.equal("text/plain; charset=utf-8");
      expect(assets.get(path)?.body).to.equal(readFileSync(resolve(folder, "../..", `.${path}`), "utf8"));
    }
  });

  it("take the heartbeats that the client takes, and no others", () => {
    const html = readFileSync(resolve(folder, "index.html"), "utf8");
    const [, longest] = /id="heartbeat" [^>]*max="(\d+)"/.exec(html) ?? [];
    const client = (seconds: number) =>
      new RelayClient({
        url: "wss://relay.example",
        context: "chat",
        contextId: "7",
        heartbeatIntervalMs: seconds * 1000,
        heartbeatTimeoutMs: seconds * 1000,
        WebSocket: class {} as never,
        onMessage: () => undefined,
      });
    expect(() => client(Number(longest))).not.to.throw();
    expect(() => client(Number(longest) + 1)).to.throw(/heartbeatIntervalMs/);
  });
});

describe("what arrives at the page", () => {
  const message = (seq: number, epoch = "e") => ({ type: "message", epoch, seq, id: `m-${seq}`, body: "text" });
  const resumed = (first: number, through: number) => ({ type: "resumed", recovered: true, first, through });
  let arrivals: Arrivals;
  beforeEach(() => {
    arrivals = new Arrivals();
    arrivals.begin();
  });
  const take = (frame: unknown) => arrivals.take(JSON.stringify(frame));

  it("is replayed up to the number that a resume goes to, and live from there on", () => {
    take([{ type: "hello", oldest: 1, newest: 5 }, resumed(4, 5), message(4)]);
    take(message(6));
    take(message(5));
    const origins = [4, 5, 6].map((seq) => arrivals.originOf({ epoch: "e", seq }));
    expect(origins).to.deep.equal(["replayed", "replayed", "live"]);
  });

  it("is live on a connection that has not asked yet, whatever an earlier one was sent", () => {
    take(resumed(1, 9));
    arrivals.begin();
    take(message(8));
    expect(arrivals.originOf({ epoch: "e", seq: 8 })).to.equal("live");
  });

  it("is counted where it comes again, and keeps how it came first; another epoch's number is another message", () => {
    take(message(1));
    take([resumed(1, 1), message(1)]);
    take(message(1, "f"));
    expect(arrivals.duplicates).to.equal(1);
    expect(arrivals.originOf({ epoch: "e", seq: 1 })).to.equal("live");
  });

  it("counts all numbers of an envelope that covers several", () => {
    take(message(2));
    take([resumed(1, 4), { ...message(4), first: 1 }]);
    expect(arrivals.duplicates).to.equal(1);
    const origins = [1, 2, 4].map((seq) => arrivals.originOf({ epoch: "e", seq }));
    expect(origins).to.deep.equal(["replayed", "live", "replayed"]);
  });

  it("says nothing of what is no envelope", () => {
    for (const frame of ["Hello, 42", "null", "[1,null]", "{}", undefined]) arrivals.take(frame);
    expect(arrivals.duplicates).to.equal(0);
    expect(arrivals.originOf({})).to.equal(undefined);
  });
});

describe("the page's diagram", () => {
  it("has the flow's participants in their order, but for the user, who looks at it", () => {
    expect(columns).to.deep.equal(participants.filter((name) => name !== "User"));
  });

  it("leads an arrow from the middle of one column to that of the other, whichever way", () => {
    expect(arrowOf({ from: "Client", to: "Gateway" })).to.deep.equal({ left: 0.5, span: 3, pointsTo: "right" });
    expect(arrowOf({ from: "Gateway", to: "Client" })).to.deep.equal({ left: 0.5, span: 3, pointsTo: "left" });
  });

  it("draws nothing from or to a participant without a column", () => {
    expect(arrowOf({ from: "User", to: "Client" })).to.equal(undefined);
    expect(arrowOf({ from: "Client", to: "User" })).to.equal(undefined);
  });
});

describe("a step of the page's diagram", () => {
  it("is a heartbeat's where the gateway names the heartbeats' route", () => {
    expect(isHeartbeat({ routeKey: "ping" })).to.equal(true);
    for (const step of [{ routeKey: "acknowledge" }, {}]) expect(isHeartbeat(step)).to.equal(false);
  });
});

describe("the page's own connections", () => {
  const [id, otherId] = ["L0SM9cOFvHcCIhw=", "another-one-2bcd="];
  let own: OwnConnections;
  beforeEach(() => {
    own = new OwnConnections();
    own.add(id, "client");
    own.add(otherId, "raw client");
  });

  it("are those that its two clients have opened, by their whole id", () => {
    const ids = [id, otherId, "zzzzzzzzzzzCIhw=", undefined];
    const clients = ids.map((connectionId) => own.clientOf({ connectionId }));
    expect(clients).to.deep.equal(["client", "raw client", undefined, undefined]);
  });

  it("have lost a message that the gateway accepted for one of them while it was half-open, which only its client lacks", () => {
    const lost = { connectionId: id, failure: "message lost" } as const;
    const otherLost = { ...lost, connectionId: otherId };
    expect([own.hasLostMessage(lost, "client"), own.hasLostMessage(otherLost, "raw client")]).to.deep.equal([
      true,
      true,
    ]);
    expect([own.hasLostMessage(lost, "raw client"), own.hasLostMessage(otherLost, "client")]).to.deep.equal([
      false,
      false,
    ]);
  });

  for (const [what, step] of [
    ["was delivered", { connectionId: id }],
    ["was sent to another page's connection", { connectionId: "zzzzzzzzzzzCIhw=", failure: "message lost" }],
    ["is no message but the protocol's own frame", { connectionId: id, failure: "frame lost" }],
    ["is a $disconnect", { connectionId: id, failure: "disconnect lost" }],
  ] as const) {
    it(`have not lost what ${what}`, () => {
      expect(own.hasLostMessage(step, "client")).to.equal(false);
    });
  }
});

describe("what the page says", () => {
  it("names every state by a label of its own", () => {
    const labels = Object.values(stateLabels);
    expect(new Set(labels).size).to.equal(labels.length);
    expect(labels).to.include.members([
      "Not connected",
      "Connecting",
      "Connected",
      "Half-open",
      "Waiting to reconnect",
    ]);
  });

  it("says why a client waits, and for how long; of other states only what they mean", () => {
    const detail = { reason: "no answer to a ping for 1000 ms", delayMs: 420 };
    expect(stateHelp("waiting", detail)).to.equal(
      "The client reconnects automatically. Next attempt in 0.4 s. Reason: no answer to a ping for 1000 ms.",
    );
    expect(stateHelp("waiting")).to.equal("The client reconnects automatically.");
    expect(stateHelp("connected", detail)).to.equal(stateHelp("connected"));
  });

  const cut = { how: "half-open", atMs: 1_000, lost: 0, replayed: 0 } as const;
  const noticed = { atMs: 2_040, reason: "no answer to a ping for 1000 ms" };
  for (const [what, given, delivery, said] of [
    ["a cut", cut, "retry", "The network is gone, and neither side was notified."],
    ["a break that both notice", { ...cut, how: "drop" }, "retry", "The connection broke."],
    [
      "a loss that the client has noticed",
      { ...cut, noticed, lost: 2 },
      "retry",
      "The network is gone, and neither side was notified. The client noticed after 1.0 s (no answer to a ping for 1000 ms). Lost: 2 messages.",
    ],
    [
      "a recovery",
      { ...cut, noticed, connectedAtMs: 2_600, lost: 1, replayed: 1 },
      "replay",
      "The network is gone, and neither side was notified. The client noticed after 1.0 s (no answer to a ping for 1000 ms). Connected again after 1.6 s. Replayed: 1 message.",
    ],
  ] as const) {
    it(`tells ${what}`, () => {
      expect(cutInWords(given, delivery)).to.equal(said);
    });
  }

  it("counts what came since a publication: lost ones in retry mode alone", () => {
    const since = { received: 3, lost: 2, isConnected: true };
    expect(receivedInWords(since, "retry")).to.equal("Since then: received 3, lost 2.");
    expect(receivedInWords(since, "replay")).to.equal("Since then: received 3.");
    expect(receivedInWords({ received: 0, lost: 0, isConnected: false }, "retry")).to.equal(
      "Since then: received 0. The client is not connected.",
    );
  });

  it("says the time of day of where the page is looked at, to the millisecond", () => {
    expect(timeOfDay(new Date(2026, 0, 31, 7, 5, 9, 42).getTime())).to.equal("07:05:09.042");
  });
});
