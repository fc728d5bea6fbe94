import { expect } from "chai";
import type { Line, Part } from "../runtimes/player";
import { installedIn, nodeWithWs, type Playing, Players, type Runtime } from "../runtimes/runtimes";
import { startProgram } from "./program";
import { type Recipient, recipient, Relay } from "./relay";

/** Where .ci/run installed the runtimes; without it, this Node alone. */
const { CLIENT_RUNTIMES } = process.env;
const runtimes = CLIENT_RUNTIMES === undefined ? [nodeWithWs()] : installedIn(CLIENT_RUNTIMES);

const replay = 'const relay = new WebsocketRelay("relay", { auth, delivery: "replay" });';

describe("the documented client", () => {
  before(() => Players.build());
  after(() => Players.remove());

  for (const [delivery, start] of Object.entries({
    retry: () => Relay.start(["--time-scale", "60"]),
    replay: () => startProgram(replay, ["--time-scale", "60"]),
  })) {
    describe(`of a relay with delivery ${delivery}`, () => {
      let relay: Relay;
      let playing: Playing | undefined;
      before(async () => {
        relay = await start();
      });
      afterEach(() => playing?.end());
      after(() => relay?.stop());

      const play = (runtime: Runtime, { user, ...to }: Recipient, until: string, query = ""): AsyncIterator<Line> => {
        const { websocketUrl, tokenUrl } = relay.addresses;
        const part: Part = { websocketUrl, tokenUrl: `${tokenUrl}?user=${user}${query}`, ...to, until };
        playing = runtime.play(part);
        return playing.lines[Symbol.asyncIterator]();
      };

      for (const runtime of runtimes) {
        it(`gets messages, and comes back from a drop for what it missed, in ${runtime.name}`, async () => {
          const to = recipient();
          const lines = play(runtime, to, "while it was away");
          expect(await next(lines, { event: "state", state: "connected" })).to.include({ delivery });
          await relay.publish(to, "while it is here");
          await next(lines, { event: "message", body: "while it is here" });

          const session = await relay.session(to);
          await relay.control(`/connections/${encodeURIComponent(session?.connection_id?.S ?? "")}/drop`);
          await relay.publish(to, "while it was away");
          expect(await next(lines, { event: "state", state: "waiting" })).to.include({ closeCode: 1006 });
          const rest = await all(lines);
          expect(rest.filter(({ event }) => event !== "state")).to.deep.equal([
            { event: "message", body: "while it was away" },
          ]);
          expect(rest.at(-1)).to.include({ event: "state", state: "closed" });
        });

        it(`tries again without waiting for a time-out, and says what to look at, where it is refused, in ${runtime.name}`, async () => {
          const said = await all(play(runtime, recipient(), "refused", "&aud=elsewhere"));
          const waits = said.filter((line) => line.event === "state" && line.state === "waiting");
          expect(waits).to.have.lengthOf.at.least(2);
          for (const wait of waits) {
            expect(wait)
              .to.include({ closeCode: 1006 })
              .and.to.have.property("reason")
              .that.includes("closed with 1006");
            expect("statusCode" in wait && wait.statusCode).to.equal(runtime.tellsStatus && 401);
          }
          expect(said.filter(({ event }) => event === "error")).to.have.lengthOf(1);
          expect(said.at(-1)).to.include({ event: "state", state: "closed" });
        });
      }
    });
  }
});

/** The next line that has these members. */
async function next(lines: AsyncIterator<Line>, members: Partial<Line>): Promise<Line> {
  for (;;) {
    const { value, done } = (await lines.next()) as IteratorResult<Line, undefined>;
    if (done) throw new Error(`the player ended before it said ${JSON.stringify(members)}`);
    if (Object.entries(members).every(([name, member]) => value[name as keyof Line] === member)) return value;
  }
}

/** All that is still said. */
async function all(lines: AsyncIterator<Line>): Promise<Line[]> {
  const said: Line[] = [];
  for (let result = await lines.next(); !result.done; result = await lines.next()) said.push(result.value as Line);
  return said;
}
