import type { Cursor } from "../protocol";
import { isCursor } from "./cursorStore";
import { settle } from "./settle";
import type { Settings } from "./settings";

/** The cursor store, as the client uses it: where it fails, the client goes on without it. */
export class CursorStorage {
  private isUnderWay = false;
  private newest: Cursor | undefined;
  /** Reported once: a store that is blocked or full fails with every message. */
  private hasFailed = false;

  constructor(private readonly settings: Settings) {}

  /** Goes on with what the store has. Where it has nothing, or fails, the relay says where to begin. */
  load(then: (cursor: Cursor | undefined) => void): void {
    settle(
      () => this.settings.cursorStore.get(),
      (cursor) => {
        if (isCursor(cursor)) return then(cursor);
        if (cursor !== null && cursor !== undefined) {
          this.failed("get gave what is no cursor; allowed is { epoch, seq }, or nothing");
        }
        then(undefined);
      },
      (error) => {
        this.failed("get failed", error);
        then(undefined);
      },
    );
  }

  /** One call at a time; while one is under way, only the newest waits. */
  write(cursor: Cursor): void {
    this.newest = cursor;
    if (this.isUnderWay) return;
    this.isUnderWay = true;
    const done = () => {
      this.isUnderWay = false;
      if (this.newest !== cursor) this.write(this.newest as Cursor);
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
