import { expect } from "chai";
import { STREAM_CHUNK_TYPE } from "../../../protocol";
import type { BlockPage } from "../../browser/blockPage";
import { user42 } from "./scene";

/** Blocks of a web page, which tests/browser/docs.browser.ts runs in a browser: its relay's delivery, and what they do. */
export interface BrowserScene {
  delivery: "retry" | "replay";
  play(page: BlockPage): Promise<void>;
}

const raw: BrowserScene = {
  delivery: "retry",
  async play(page) {
    const { websocketUrl } = page.relay.addresses;
    const token = await page.relay.token(user42.user);
    const opened = page.socketOpened();
    await page.run({ values: { websocketUrl, url: page.relay.url(user42), token } });
    const socket = await opened;
    await page.relay.publish(user42, "to a page");
    const { payload } = await socket.waitForEvent("framereceived");
    expect(payload).to.equal("to a page");
  },
};

/** By the name in a block's mark. */
export const browserScenes: Record<string, BrowserScene> = {
  "raw-subprotocol": raw,
  "subprotocols-by-name": raw,
  "replay-client": {
    delivery: "replay",
    async play(page) {
      const { websocketUrl } = page.relay.addresses;
      await page.run({
        values: { websocketUrl },
        functions: { fetchToken: await page.relay.token(user42.user), show: null },
      });
      await page.relay.publish(user42, '{"text":"to a page"}');
      expect(await page.call("show")).to.deep.equal([{ text: "to a page" }]);
      expect(await page.stored("relay:42:chat:7")).to.match(/"seq":\d/);
    },
  },
  "browser-client": {
    delivery: "replay",
    async play(page) {
      const { websocketUrl } = page.relay.addresses;
      const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
      await page.serve("/relay-token", { token: await page.relay.token("43"), expiresAt });
      await page.run({
        values: { websocketUrl, userId: "43", banner: {} },
        functions: { show: null, reloadEverything: null },
      });
      await page.relay.publish({ ...user42, user: "43" }, '{"text":"to a page"}');
      expect(await page.call("show")).to.deep.equal([{ text: "to a page" }]);
      expect(await page.value("banner.textContent")).to.equal("");
      expect(await page.stored("relay:43:chat:7")).to.match(/"seq":\d/);
    },
  },
  "ai-streaming-page": {
    delivery: "replay",
    async play(page) {
      const { websocketUrl } = page.relay.addresses;
      // A user of its own, who gets no message of another block.
      const user44 = { ...user42, user: "44" };
      await page.run({
        values: { websocketUrl },
        functions: { fetchToken: await page.relay.token(user44.user), show: null },
      });
      const chunk = { type: STREAM_CHUNK_TYPE, id: "docs", offset: 0, text: "Your report", end: "closed" };
      await page.relay.publish(user44, JSON.stringify(chunk));
      expect(await page.call("show")).to.deep.equal([{ answer: "Your report", isComplete: true, hasFailed: false }]);
    },
  },
};
