import type { Inbox } from "./inbox";
import type { Item } from "./messages";
import { settle } from "./settle";
import type { Settings } from "./settings";

/** Passes the items of the inbox to the callbacks, one at a time. */
export class Handover {
  private isUnderWay = false;

  constructor(
    private readonly settings: Settings,
    private readonly inbox: Inbox,
    private readonly handled: (item: Item) => void,
  ) {}

  run(): void {
    // A loop: with callbacks that return at once, a long page would be a deep recursion.
    while (!this.isUnderWay) {
      const item = this.inbox.take();
      if (!item) return;
      this.isUnderWay = true;
      let isAtOnce = true;
      const done = () => {
        this.isUnderWay = false;
        this.handled(item);
        if (!isAtOnce) this.run();
      };
      settle(
        () => this.call(item),
        done,
        (error) => {
          const name = { message: "onMessage", expired: "onExpired", gap: "onGap" }[item.kind];
          this.settings.report("callback", `${name} failed; its argument counts as handled`, error);
          done();
        },
      );
      isAtOnce = false;
    }
  }

  private call({ kind, value }: Item): void | PromiseLike<void> {
    const { settings } = this;
    if (kind === "message") return settings.onMessage(value);
    if (kind === "expired") return settings.onExpired?.(value);
    if (settings.onGap) return settings.onGap(value);
    settings.report(
      "gap",
      `messages are missing before number ${value.first} (${value.lost}); pass onGap to handle this`,
    );
  }
}
