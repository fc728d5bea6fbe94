import { once } from "node:events";
import {
  type Action,
  type Cursor,
  type Envelope,
  type MessageEnvelope,
  type Resume,
  type Resumed,
  SUBPROTOCOLS,
} from "../../protocol";
import { envelopesIn } from "../support/schemas";
import type { Client, Recipient, Relay } from "./relay";

/** What a client needs of a relay, wherever it runs. */
type ReplayRelay = Pick<Relay, "token" | "url" | "connectByUrl" | "session">;

/** A client of `websocket-relay.v1`, by hand: it keeps whatever it is told, and answers nothing by itself. */
export class ReplayClient {
  private constructor(
    readonly client: Client,
    readonly connectionId: string,
  ) {}

  static async connect(relay: ReplayRelay, to: Recipient): Promise<ReplayClient> {
    const headers = { authorization: `Bearer ${await relay.token(to.user)}` };
    const client = await relay.connectByUrl(relay.url(to), { headers }, [SUBPROTOCOLS.v1]);
    return new ReplayClient(client, (await relay.session(to))?.connection_id?.S ?? "");
  }

  /** All that it was told so far, frame by frame. @throws where a frame is not of the protocol's schema */
  get envelopes(): Envelope[] {
    return this.client.messages.flatMap((frame) => envelopesIn(frame));
  }

  /** The numbers and bodies of the messages, in the order of their arrival; of chunks that are joined, the last number. */
  get messages(): [seq: number, body: string | undefined][] {
    return this.envelopes.flatMap((envelope) => (envelope.type === "message" ? [[envelope.seq, envelope.body]] : []));
  }

  send(action: Action): void {
    this.client.socket.send(JSON.stringify(action));
  }

  /** The first envelope of a type, past the first `from` or to come, that satisfies `matches`. */
  async until<Type extends Envelope["type"]>(
    type: Type,
    from = 0,
    matches: (envelope: Extract<Envelope, { type: Type }>) => boolean = () => true,
  ): Promise<Extract<Envelope, { type: Type }>> {
    for (;;) {
      for (const envelope of this.envelopes.slice(from)) {
        if (envelope.type !== type) continue;
        const found = envelope as Extract<Envelope, { type: Type }>;
        if (matches(found)) return found;
      }
      await once(this.client.socket, "message");
    }
  }

  /** Resolves when the message of that number has come, alone or joined with others of its stream. */
  message(seq: number): Promise<MessageEnvelope> {
    return this.until("message", 0, (envelope) => (envelope.first ?? envelope.seq) <= seq && envelope.seq >= seq);
  }

  /** Resumes, and resolves when all that was announced has come. */
  async resume(given: Omit<Resume, "action"> = {}): Promise<Resumed> {
    const from = this.envelopes.length;
    this.send({ action: "resume", ...given });
    const resumed = await this.until("resumed", from);
    for (let seq = resumed.first; seq <= resumed.through; seq++) await this.message(seq);
    return resumed;
  }

  /** Acknowledges all that has come up to that number. */
  async acknowledge(seq: number): Promise<Cursor> {
    const { epoch } = await this.message(seq);
    this.send({ action: "ack", cursor: { epoch, seq } });
    return { epoch, seq };
  }
}
