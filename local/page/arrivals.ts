import type { Envelope } from "../../protocol";

export type Origin = "live" | "replayed";

interface Numbered {
  epoch?: string;
  seq?: number;
}

/**
 * Counts frames on the wire, independently of the client: replayed messages, and messages that arrived more than once. The
 * client shows each message only once.
 */
export class Arrivals {
  /** How often a number came again. */
  duplicates = 0;
  private readonly origins = new Map<string, Origin>();
  private replayedThrough = 0;

  /** Another connection: nothing is replayed before it has asked. */
  begin(): void {
    this.replayedThrough = 0;
  }

  /** Takes a frame. Frames without a number are ignored. */
  take(frame: unknown): void {
    for (const envelope of envelopesOf(frame)) {
      if (envelope.type === "resumed") this.replayedThrough = envelope.through;
      if (envelope.type !== "message") continue;
      const { epoch, seq: last, first = last } = envelope;
      for (let seq = first; seq <= last; seq++) this.note(keyOf({ epoch, seq }), seq <= this.replayedThrough);
    }
  }

  private note(key: string, isReplayed: boolean): void {
    if (this.origins.has(key)) this.duplicates += 1;
    else this.origins.set(key, isReplayed ? "replayed" : "live");
  }

  /** How a message came first; undefined for one without a number. */
  originOf(message: Numbered): Origin | undefined {
    return this.origins.get(keyOf(message));
  }
}

function keyOf({ epoch, seq }: Numbered): string {
  return `${epoch} ${seq}`;
}

function envelopesOf(frame: unknown): Envelope[] {
  try {
    const value = JSON.parse(String(frame)) as Envelope | Envelope[] | null;
    return [value].flat().filter((each): each is Envelope => typeof each === "object" && each !== null);
  } catch {
    return [];
  }
}
