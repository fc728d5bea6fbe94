import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Cursor, parseStreamChunk, type Resume } from "../../protocol";
import { ClientProcess, type PrintedLine } from "./clientProcess";
import { answer } from "./envelopes";
import { Unmet } from "./unmet";
import { type Connection, ScriptedRelay } from "./scriptedRelay";

/** How long scenarios watch and wait. */
export interface Watch {
  /** How long a scenario watches that something does not happen. @default 1,500 */
  quietMs?: number;
  /** A little longer than a client may wait for the answer to a ping. @default 11,000 */
  pongWaitMs?: number;
}

export interface StageOptions extends Watch {
  command: readonly string[];
  timeLimitMs: number;
  /** Aborted by Ctrl-C. */
  signal: AbortSignal;
}

/** What a scenario passes to the client in environment variables. */
export interface ClientSettings {
  context?: string;
  contextId?: string;
  from?: NonNullable<Resume["from"]>;
  handleMs?: number;
  connectionSeconds?: number;
}

/** Where a scenario is played: a scripted relay and the client under test. */
export class Stage {
  relay!: ScriptedRelay;
  client: ClientProcess | undefined;
  /** Bodies that the client must have printed by now, in order. */
  private readonly expected: string[] = [];
  private readonly stateFolder = mkdtempSync(join(tmpdir(), "conformance-"));
  private connectionsTaken = 0;
  private waiting = new Set<() => void>();
  private isOver = false;
  /** Whether the client may end by itself. */
  private mayEnd = false;

  private constructor(private readonly options: StageOptions) {}

  /** Plays a scenario, then ends the client and the relay. @throws Unmet if the client does not meet the requirement. */
  static async play(options: StageOptions, scenario: (stage: Stage) => Promise<void>): Promise<void> {
    const stage = new Stage(options);
    stage.relay = await ScriptedRelay.start(stage.changed);
    const timer = setTimeout(() => {
      stage.isOver = true;
      stage.changed();
    }, options.timeLimitMs);
    options.signal.addEventListener("abort", stage.changed);
    try {
      await scenario(stage);
      clearTimeout(timer);
      await stage.end();
      stage.checkClient("the end of the scenario");
      stage.checkShown();
    } finally {
      clearTimeout(timer);
      options.signal.removeEventListener("abort", stage.changed);
      stage.client?.kill();
      await stage.relay.stop();
      rmSync(stage.stateFolder, { recursive: true, force: true });
    }
  }

  /** Starts the client, also a second time after `end`. */
  start({ context = "chat", contextId = "7", from, handleMs, connectionSeconds }: ClientSettings = {}): void {
    const settings: Record<string, string | undefined> = {
      RELAY_URL: this.relay.url,
      RELAY_CONTEXT: context,
      RELAY_CONTEXT_ID: contextId,
      RELAY_TOKEN_URL: this.relay.tokenUrl,
      RELAY_STATE_FOLDER: this.stateFolder,
      RELAY_FROM: from,
      RELAY_HANDLE_MS: handleMs?.toString(),
      RELAY_CONNECTION_SECONDS: connectionSeconds?.toString(),
    };
    const env = Object.entries(settings).filter((entry): entry is [string, string] => entry[1] !== undefined);
    this.mayEnd = false;
    // A new process prints from the beginning.
    this.expected.length = 0;
    this.client = ClientProcess.start(this.options.command, Object.fromEntries(env), this.changed);
  }

  /** Starts the client; it connects, resumes, and has handled the messages 1 and 2. */
  async opened(settings: ClientSettings = {}, announced: object = {}): Promise<Connection> {
    this.start(settings);
    const connection = await this.connection();
    await this.resume(connection);
    const [hello = {}, ...rest] = answer(1, 2);
    connection.send({ ...hello, ...announced }, ...rest);
    await this.shows("m1", "m2");
    return connection;
  }

  /** Tells the client to end, and waits until it has. */
  async end(): Promise<void> {
    this.mayEnd = true;
    await this.client?.stop();
  }

  /** Waits for the next connection that was not returned yet. */
  async connection(what = "a connection"): Promise<Connection> {
    const connection = await this.until(what, () => this.relay.connections[this.connectionsTaken]);
    this.connectionsTaken++;
    return connection;
  }

  /**
   * Waits for the next resume over the connection, and skips other frames.
   *
   * @param position What has arrived in order: the resume's cursor, or its `after`.
   */
  async resume(connection: Connection, position?: Cursor): Promise<Resume> {
    const what = position ? `a resume after ${JSON.stringify(position)}` : "a resume";
    const resume = await this.until(what, () => {
      while (connection.taken < connection.received.length) {
        const { frame } = connection.received[connection.taken++] ?? {};
        if (frame?.action === "resume") return frame;
      }
      return undefined;
    });
    if (position && !(resume.cursor?.epoch === position.epoch && arrivedIn(resume) === position.seq)) {
      throw new Unmet(`expected ${what}; got ${JSON.stringify(resume)}`);
    }
    return resume;
  }

  /** Waits until the client has printed these messages, after the earlier ones and in this order. */
  async shows(...bodies: string[]): Promise<void> {
    this.expected.push(...bodies);
    await this.until(`the message ${JSON.stringify(brief(bodies.at(-1) ?? ""))}`, () => {
      this.checkShown();
      return this.shown.length >= this.expected.length || undefined;
    });
  }

  /** Waits until the client has printed a line of this type. */
  prints(type: string): Promise<PrintedLine> {
    return this.until(`a line of the type ${type}`, () => this.client?.printed.find((line) => line.type === type));
  }

  /** The bodies that the client has printed, without chunks of streams. */
  get shown(): string[] {
    const bodies = (this.client?.printed ?? []).flatMap(({ type, body }) => (type === "message" ? [body ?? ""] : []));
    return bodies.filter((body) => parseStreamChunk(body) === undefined);
  }

  /** How long a scenario watches that something does not happen. */
  get quietMs(): number {
    return this.options.quietMs ?? 1_500;
  }

  /** A little longer than a client may wait for the answer to a ping. */
  get pongWaitMs(): number {
    return this.options.pongWaitMs ?? 11_000;
  }

  /** Waits until `look` returns something. @throws Unmet if it does not in time, or if `look` throws. */
  until<T>(what: string, look: () => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const check = () => {
        try {
          const found = look();
          if (found === undefined) return this.checkClient(what);
          this.waiting.delete(check);
          resolve(found);
        } catch (error) {
          this.waiting.delete(check);
          reject(error as Error);
        }
      };
      this.waiting.add(check);
      check();
    });
  }

  /** Watches for a while. @throws Unmet if `look` returns what should not have happened. */
  async quiet(ms: number, look: () => string | undefined): Promise<void> {
    let isPast = false;
    const timer = setTimeout(() => {
      isPast = true;
      this.changed();
    }, ms);
    try {
      await this.until(`a quiet time of ${ms} ms`, () => {
        const happened = look();
        if (happened !== undefined) throw new Unmet(happened);
        return isPast || undefined;
      });
    } finally {
      clearTimeout(timer);
    }
  }

  /** Allows the client to end from now on, as after `superseded`. */
  letEnd(): void {
    this.mayEnd = true;
  }

  private readonly changed = (): void => {
    for (const check of [...this.waiting]) check();
  };

  private checkShown(): void {
    const { shown, expected } = this;
    const at = shown.findIndex((body, index) => body !== expected[index]);
    if (at === -1) return;
    const wanted = expected[at];
    const instead = wanted === undefined ? "no further message" : `the message ${JSON.stringify(brief(wanted))}`;
    throw new Unmet(
      `expected ${instead} after ${JSON.stringify(shown.slice(0, at).map(brief))}; got ${JSON.stringify(brief(shown[at] ?? ""))}`,
    );
  }

  /** @throws Unmet if the client has broken the contract, has ended, or has no time left. */
  private checkClient(what: string): void {
    const { client, relay, options } = this;
    options.signal.throwIfAborted();
    const problem = relay.connections.flatMap(({ problems }) => problems)[0];
    if (problem !== undefined) throw new Unmet(`expected frames of the protocol; got ${problem}`);
    if (client?.problem !== undefined) throw new Unmet(`the client ${client.problem}`);
    if (client?.startError) throw client.startError;
    if (client?.end !== undefined && !this.mayEnd) {
      throw new Unmet(`expected ${what}; the client has ended: ${client.end}${this.stderr}`);
    }
    if (this.isOver) {
      const attempts = relay.handshakes.length;
      const contact = attempts === 0 ? `; the client has never connected to ${relay.url}` : "";
      throw new Unmet(
        `expected ${what} within ${options.timeLimitMs / 1_000} s; it did not come${contact}${this.stderr}`,
      );
    }
  }

  private get stderr(): string {
    const { stderr } = this.client ?? {};
    return stderr ? `. The end of its stderr:\n${stderr}` : "";
  }
}

/** The number after which the resume requests messages. */
export function arrivedIn({ cursor, after }: Resume): number {
  return cursor ? Math.max(cursor.seq, after ?? 0) : 0;
}

function brief(body: string): string {
  return body.length > 60 ? `${body.slice(0, 60)}…` : body;
}
