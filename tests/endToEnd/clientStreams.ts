import { EventEmitter, once } from "node:events";
import { expect } from "chai";
import { WebSocket } from "ws";
import { followState, RelayClient, type RelayClientOptions, type StreamPiece } from "../../client";
import { recipient, type Recipient, type Relay } from "./relay";
import { StreamingBackend } from "./streams";

/** Part of the tests of a relay in replay mode: the client library's streams and its `followState`. They share its run. */
export function describeClientStreams(run: () => Relay): void {
  describe("with the client library", () => {
    let backend: StreamingBackend;
    const pages: Page[] = [];
    before(() => (backend = new StreamingBackend(run())));
    afterEach(() => pages.splice(0).forEach((page) => page.client.close()));
    after(() => backend.close());

    const open = async (to: Recipient, options: Partial<RelayClientOptions> = {}): Promise<Page> => {
      const page = await Page.open(run(), to, options);
      pages.push(page);
      return page;
    };

    it("shows a stream complete and once over a cut connection, and whole in a page that is opened meanwhile", async () => {
      const to = recipient();
      const page = await open(to);
      const stream = backend.relay.stream({ ...to, rollupMs: 25 });
      await stream.append("one ");
      await page.until(() => page.text === "one ");
      page.cut();
      await stream.append("two ");
      await run().untilQueueIsEmpty();
      await page.until(() => page.text === "one two ");
      // The first page is reloaded: it knows nothing of what it has shown.
      page.client.close();
      const reloaded = await open(to);
      await reloaded.until(() => reloaded.text === "one two ");
      await stream.append("three");
      await stream.close();
      await reloaded.until(() => reloaded.pieces.at(-1)?.status === "closed");
      expect(reloaded.text).to.equal("one two three");
      expect(page.text).to.equal("one two ");
    });

    it("follows a state from its snapshot on: nothing that it has is applied again, and nothing after it is missed", async () => {
      const to = recipient();
      const row = { value: "", version: 0 };
      const write = async (value: string) => {
        Object.assign(row, { value, version: row.version + 1 });
        await run().publish(to, JSON.stringify(row));
      };
      await write("a");
      await run().untilQueueIsEmpty();

      let shown = { value: "", version: 0 };
      const applied: number[] = [];
      const late: { page?: Page } = {};
      const page = (late.page = await open(to, {
        ...followState<typeof row>({
          getState: async () => {
            const position = await backend.relay.position(to);
            // Between the two reads: it is in the state, and comes as a message, too.
            await write("b");
            return { state: { ...row }, version: row.version, position };
          },
          applyState: (state) => {
            shown = state;
            late.page?.change();
          },
          versionOf: ({ body }) => (JSON.parse(body) as typeof row).version,
          applyUpdate: ({ body }, version) => {
            applied.push(version);
            shown = JSON.parse(body) as typeof row;
            late.page?.change();
          },
        }),
      }));
      await page.until(() => shown.value === "b");
      await write("c");
      await page.until(() => shown.value === "c");
      expect([shown.version, applied]).to.deep.equal([3, [3]]);
    });
  });
}

/** A page with the client library, whose connection can be cut. */
class Page {
  readonly pieces: StreamPiece[] = [];
  private readonly changed = new EventEmitter();

  private constructor(
    readonly client: RelayClient,
    private readonly sockets: WebSocket[],
  ) {}

  static async open(relay: Relay, to: Recipient, options: Partial<RelayClientOptions>): Promise<Page> {
    const token = await relay.token(to.user);
    const sockets: WebSocket[] = [];
    const late: { page?: Page } = {};
    const client = new RelayClient({
      url: relay.addresses.websocketUrl,
      context: to.context,
      contextId: to.contextId,
      token: () => token,
      onMessage: () => undefined,
      onStream: (piece) => late.page?.add(piece),
      backoffBaseMs: 1,
      WebSocket: class extends WebSocket {
        constructor(url: string, protocols: string[]) {
          super(url, protocols);
          sockets.push(this);
        }
      },
      ...options,
    });
    const page = (late.page = new Page(client, sockets));
    client.connect();
    return page;
  }

  /** The text of all pieces, each where its offset says. */
  get text(): string {
    return this.pieces.reduce((text, piece) => text.slice(0, piece.offset) + piece.text, "");
  }

  cut(): void {
    this.sockets.at(-1)?.terminate();
  }

  /** Looks again after each piece and each `change`. */
  async until(isTrue: () => boolean): Promise<void> {
    while (!isTrue()) await once(this.changed, "change");
  }

  readonly change = (): void => void this.changed.emit("change");

  private add(piece: StreamPiece): void {
    // Each begins where the last one ended.
    expect(piece.offset).to.equal(this.text.length);
    this.pieces.push(piece);
    this.change();
  }
}
