import { isCursor, type StoredCursor } from "./cursorStore";
import { settle } from "./settle";
import type { Settings } from "./settings";

/** Reads and writes the cursor store. If the store fails, the client continues without it. */
export class CursorStorage {
  private isUnderWay = false;
  private newest: StoredCursor | undefined;
  /** An error is reported once: a store that is blocked or full fails with every message. */
  private hasFailed = false;

  constructor(private readonly settings: Settings) {}

  /** Continues with the stored cursor. If there is none, or the store fails, the relay sets the start. */
  load(then: (cursor: StoredCursor | undefined) => void): void {
    settle(
      () => this.settings.cursorStore.get(),
      (cursor) => {
        if (isCursor(cursor)) return then(cursor);
        if (cursor !== null && cursor !== undefined) {
          this.failed("get returned neither { epoch, seq } nor null");
        }
        then(undefined);
      },
      (error) => {
        this.failed("get failed", error);
        then(undefined);
      },
    );
  }

  /** One call at a time; during a call, only the newest cursor waits. */
  write(cursor: StoredCursor): void {
    this.newest = cursor;
    if (this.isUnderWay) return;
    this.isUnderWay = true;
    const done = () => {
      this.isUnderWay = false;
      if (this.newest !== cursor) this.write(this.newest as StoredCursor);
    };
    settle(
      () => this.settings.cursorStore.set(cursor),
      () => {
        this.hasFailed = false;
        done();
      },
      (error) => {
        this.failed("set failed", error);
        done();
      },
    );
  }

  private failed(what: string, error?: unknown): void {
    if (!this.hasFailed) this.settings.report("store", `cursorStore: ${what}`, error);
    this.hasFailed = true;
  }
}
