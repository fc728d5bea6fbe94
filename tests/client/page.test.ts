import { expect } from "chai";
import { answer, bodies, ClientSetUp, cursor, message, messages } from "./clientSetUp";

type Listener = (event: { type: string; persisted?: boolean }) => void;

/** A page's window or document, as far as the client uses it. */
class Target {
  readonly listeners = new Map<string, Set<Listener>>();

  readonly addEventListener = (type: string, listener: Listener): void => {
    this.listeners.set(type, (this.listeners.get(type) ?? new Set()).add(listener));
  };

  readonly removeEventListener = (type: string, listener: Listener): void => {
    this.listeners.get(type)?.delete(listener);
  };

  fire(type: string, rest: { persisted?: boolean } = {}): void {
    for (const listener of this.listeners.get(type) ?? []) listener({ type, ...rest });
  }

  get count(): number {
    return [...this.listeners.values()].reduce((sum, { size }) => sum + size, 0);
  }
}

class Document extends Target {
  visibilityState = "visible";

  become(visibilityState: "visible" | "hidden"): void {
    this.visibilityState = visibilityState;
    this.fire("visibilitychange");
  }
}

const ack = (seq: number) => ({ action: "ack", cursor: cursor(seq) });
const HALF_AN_HOUR_MS = 1_800_000;

describe("the client in a page, played", () => {
  let window: Target;
  let document: Document;
  beforeEach(() => {
    window = new Target();
    document = new Document();
    const { addEventListener, removeEventListener } = window;
    Object.assign(globalThis, { addEventListener, removeEventListener, document });
  });
  afterEach(() => {
    for (const name of ["addEventListener", "removeEventListener", "document"])
      Reflect.deleteProperty(globalThis, name);
  });

  for (const [what, hide] of Object.entries({
    "becomes hidden": () => document.become("hidden"),
    "is left": () => window.fire("pagehide", { persisted: false }),
    "goes into the back-forward cache": () => window.fire("pagehide", { persisted: true }),
    "is frozen": () => document.fire("freeze"),
  })) {
    it(`acknowledges at once when the page ${what}`, () => {
      const setUp = new ClientSetUp();
      const socket = setUp.connected();
      socket.receive(...messages(1, 3));
      hide();
      expect(socket.take("ack")).to.deep.equal([ack(3)]);
      hide();
      expect(socket.take("ack"), "nothing is new").to.deep.equal([]);
      expect(setUp.client.state).to.equal("connected");
    });
  }

  for (const [what, show] of Object.entries({
    "becomes visible": () => document.become("visible"),
    "is unfrozen": () => document.fire("resume"),
    "comes from the back-forward cache": () => window.fire("pageshow", { persisted: true }),
    "is online": () => window.fire("online"),
    "is online while it is hidden": () => {
      document.visibilityState = "hidden";
      window.fire("online");
    },
  })) {
    it(`checks its connection at once when the page ${what}, and asks soon again`, async () => {
      const setUp = new ClientSetUp();
      const socket = setUp.connected();
      answeringPings(setUp);
      await setUp.clock.advance(HALF_AN_HOUR_MS);
      socket.sent.length = 0;
      show();
      expect(socket.take("ping")).to.have.lengthOf(1);
      await setUp.clock.advance(60_000);
      expect(socket.take("ping").length).to.be.at.least(2);
    });

    it(`connects at once when the page ${what}`, () => {
      const setUp = new ClientSetUp();
      setUp.connected().end();
      expect(setUp.client.state).to.equal("waiting");
      show();
      expect(setUp.sockets.all).to.have.lengthOf(2);
    });
  }

  it("does nothing when the page is loaded", () => {
    const setUp = new ClientSetUp();
    const socket = setUp.connected();
    window.fire("pageshow", { persisted: false });
    expect(socket.sent).to.deep.equal([]);
  });

  it("asks rarely while the page is hidden", async () => {
    const setUp = new ClientSetUp();
    const socket = setUp.connected();
    answeringPings(setUp);
    document.become("hidden");
    await setUp.clock.advance(60_000);
    expect(socket.take("ping"), "one was due").to.have.lengthOf(1);
    await setUp.clock.advance(200_000);
    expect(socket.take("ping")).to.deep.equal([]);
  });

  it("goes on after hours in the background with the messages of the meantime", async () => {
    const setUp = new ClientSetUp();
    const socket = setUp.connected();
    socket.receive(message(1));
    document.become("hidden");
    document.fire("freeze");
    // No timer runs, and no event arrives.
    socket.sent.length = 0;
    document.fire("resume");
    document.become("visible");
    expect(socket.take("ping")).to.have.lengthOf(1);
    await setUp.clock.advance(11_000);
    setUp.socket.accept();
    setUp.socket.receive(...answer({ first: 2, through: 4 }));
    expect(setUp.messages).to.deep.equal(bodies(1, 4));
  });

  it("listens from connect until it is closed, or superseded", () => {
    const setUp = new ClientSetUp();
    const counts = () => [window.count, document.count];
    expect(counts()).to.deep.equal([0, 0]);
    const socket = setUp.connected();
    expect(window.count).to.be.greaterThan(2);
    expect(document.count).to.be.greaterThan(2);
    socket.receive({ type: "superseded" });
    expect(counts()).to.deep.equal([0, 0]);
    setUp.client.connect();
    setUp.client.close();
    expect(counts()).to.deep.equal([0, 0]);
  });

  it("needs neither a document nor its methods", () => {
    for (const incomplete of [undefined, {}]) {
      Object.assign(globalThis, { document: incomplete, addEventListener: undefined, removeEventListener: undefined });
      const setUp = new ClientSetUp();
      setUp.connected();
      setUp.client.close();
      expect(setUp.states.at(-1)).to.include({ state: "closed" });
    }
  });
});

function answeringPings({ socket }: ClientSetUp): void {
  socket.onSent = ({ action }) => {
    if (action === "ping") socket.receive({ type: "pong" });
  };
}
