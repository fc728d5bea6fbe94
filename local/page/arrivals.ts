import type { Envelope } from "../../protocol";

export type Origin = "live" | "replayed";

interface Numbered {
  epoch?: string;
  seq?: number;
}

/**
 * What has come over the wire, seen beside the client and not through it: what was replayed, and what came more than once,
 * which a client that keeps to its protocol shows once.
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

  /** A frame as it came; what is no envelope has no number, and says nothing here. */
  take(frame: unknown): void {
    for (const envelope of envelopesOf(frame)) {
      if (envelope.type === "resumed") this.replayedThrough = envelope.through;
      if (envelope.type !== "message") continue;
      const key = keyOf(envelope);
      if (this.origins.has(key)) this.duplicates += 1;
      else this.origins.set(key, envelope.seq <= this.replayedThrough ? "replayed" : "live");
    }
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
