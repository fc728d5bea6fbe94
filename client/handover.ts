import type { Inbox } from "./inbox";
import type { Item } from "./messages";
import { settle } from "./settle";
import type { Settings } from "./settings";

/** Passes the items of the inbox to the callbacks, one at a time. */
export class Handover {
  constructor(
    private readonly settings: Settings,
    private readonly inbox: Inbox,
    private readonly handled: (item: Item) => void,
  ) {}

  run(): void {
    // A loop: with callbacks that return at once, a long page would be a deep recursion.
    while (!this.inbox.current) {
      const item = this.inbox.take();
      if (!item) return;
      let isAtOnce = true;
      const done = () => {
        this.inbox.done(item);
        this.handled(item);
        if (!isAtOnce) this.run();
      };
      settle(
        () => this.call(item),
        done,
        (error) => {
          this.settings.report("callback", `${item.callback} failed; its argument counts as handled`, error);
          done();
        },
      );
      isAtOnce = false;
    }
  }

  private call({ callback, value }: Item): void | PromiseLike<void> {
    const { settings } = this;
    // The type of the value is that of the callback's argument.
    if (settings[callback]) return settings[callback](value as never);
    if (callback === "onGap") {
      const { first, lost } = value;
      settings.report("gap", `messages are missing before number ${first} (${lost}); pass onGap to handle this`);
    }
  }
}
