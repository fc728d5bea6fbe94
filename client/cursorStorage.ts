import type { Cursor } from "../protocol";
import { isCursor } from "./cursorStore";
import { settle } from "./settle";
import type { Settings } from "./settings";

/** Goes on with what the store has. Where it has nothing, or fails, the relay says where to begin. */
export function loadCursor({ cursorStore, report }: Settings, then: (cursor: Cursor | undefined) => void): void {
  settle(
    () => cursorStore.get(),
    (cursor) => {
      if (isCursor(cursor)) return then(cursor);
      if (cursor !== null && cursor !== undefined) {
        report("store", "cursorStore: get gave what is no cursor; allowed is { epoch, seq }, or nothing");
      }
      then(undefined);
    },
    (error) => {
      report("store", "cursorStore: get failed", error);
      then(undefined);
    },
  );
}

/** Writes to the cursor store one at a time; while one is under way, only the newest waits. */
export class CursorWriter {
  private isUnderWay = false;
  private newest: Cursor | undefined;

  constructor(private readonly settings: Settings) {}

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
      done,
      (error) => {
        this.settings.report("store", "cursorStore: set failed", error);
        done();
      },
    );
  }
}
