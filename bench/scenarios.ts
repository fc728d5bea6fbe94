import { setTimeout as delay } from "node:timers/promises";
import type { RelayStream } from "../backend";
import type { Cursor, RelayClientOptions } from "../client";
import { VirtualClock } from "../tests/support/virtualClock";
import { bodyOf, CHUNKS, TOKENS } from "./bodies";
import { type Item, itemBytes } from "./capacity";
import type { Mode } from "./deployed";
import { Reception } from "./reception";
import type { Recording } from "./recorder";
import { type BenchRelay, until } from "./relay";
import { missMessages, PlayedClient } from "./relayPlayer";
import { type SystemLogLevels, type Tally, tallyOf } from "./tally";

/** The profile: ten messages over one connection of 30 minutes a day. */
export const PROFILE = { messages: 10, connectionMinutes: 30 } as const;

const MESSAGE_FUNCTIONS = ["deliver", "acknowledge", "expire"];
const CONNECTION_FUNCTIONS = ["connect", "disconnect", "resume"];

const MINUTE_MS = 60_000;
const HELD_MS = 60 * MINUTE_MS;
const GAP_MS = (PROFILE.connectionMinutes * MINUTE_MS) / PROFILE.messages;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** The default. */
const RETENTION_MS = DAY_MS;
/** When the sweeper finds something due: soon after the retention, and after whatever slack a history has. */
const SWEEPS_AHEAD_MS = [RETENTION_MS + 10 * MINUTE_MS, RETENTION_MS + 4 * DAY_MS, RETENTION_MS + 9 * DAY_MS];
/** The messages of the first day have no predecessors, those of the last day no successors: the one between them is usual. */
const DAYS = 3;
const USUAL_DAY = 1;

export interface Profile {
  /** The work of the messages: deliveries, acknowledgements, and that of the sweeper. */
  messages: Tally;
  /** The work of the connection that received them: handshake, resume, end. */
  connection: Tally;
}

/** The same on each of some days. */
export interface Days {
  /** A day with one before and one after it. The sweeper's work is that of this day, for the messages of the day before. */
  usual: Profile;
  /** The last day, with the sweeper's work until nothing is due. */
  last: Profile;
}

/** Tokens a second of a model. */
const PACE = 50;

/** Plays scenarios on one relay. */
export class Scenarios {
  constructor(
    private readonly relay: BenchRelay,
    private readonly mode: Mode,
    private readonly levels: SystemLogLevels,
  ) {}

  /** The profile of a user: each message by itself, three minutes apart by the client's clock. */
  async delivered(user: string, bodies?: readonly string[]): Promise<Days> {
    const { relay } = this;
    return this.days([user], PROFILE.messages, async ([player]) => {
      for (let index = 0; index < PROFILE.messages; index++) {
        await player?.receive(1, () => relay.publishOne({ user, message: bodyOf(index, bodies) }));
        await this.pass(GAP_MS, [player]);
      }
    });
  }

  /** The profile of ten users, whose messages are published together, ten in a batch: a message for each user in each round. */
  async deliveredInBatches(rounds: number): Promise<Days> {
    const { relay } = this;
    const users = Array.from({ length: 10 }, (_, index) => `batch-${this.mode}-${index}`);
    return this.days(users, rounds * users.length, async (players) => {
      for (let round = 0; round < rounds; round++) {
        const messages = users.map((user, index) => ({ user, message: bodyOf(round + index) }));
        let published: Promise<void> | undefined;
        await Promise.all(
          players.map((player) => player.receive(1, () => (published ??= relay.publishBatch(messages)))),
        );
        await relay.untilQueueIsEmpty();
        await this.pass(GAP_MS, players);
      }
    });
  }

  /** A generated text: chunks of 20 bytes to one user, ten in a batch, 50 a second by the client's clock. */
  async streamed(chunks: number): Promise<Profile> {
    const { relay } = this;
    const user = `streamed-${this.mode}`;
    return this.once(chunks, MESSAGE_FUNCTIONS, async () => {
      const player = await Player.connect(relay, user);
      for (let first = 0; first < chunks; first += 10) {
        const messages = Array.from({ length: 10 }, (_, index) => ({ user, message: bodyOf(first + index, CHUNKS) }));
        await player.receive(10, () => relay.publishBatch(messages));
        await player.pass(200);
      }
      await relay.untilQueueIsEmpty();
      await player.leave();
    });
  }

  /**
   * An answer of a model: as one stream of the backend, at the pace at which it is generated, or each token as a message. Each
   * message comes to `deliver` by itself, as it does on AWS, where an invocation takes less time than passes between two tokens.
   *
   * @returns the work of the answer's messages.
   */
  async answered(as: "stream" | "messages", tokens: number): Promise<Tally> {
    const { relay } = this;
    const user = `answered-as-${as}`;
    const texts = Array.from({ length: tokens }, (_, index) => bodyOf(index, TOKENS));
    const { messages } = await this.once(tokens, MESSAGE_FUNCTIONS, async () => {
      const player = await Player.connect(relay, user);
      if (as === "stream") await player.receive(1, () => streamAtPace(relay.stream(user), texts));
      else for (const message of texts) await player.receive(1, () => relay.publishOne({ user, message }));
      await relay.untilQueueIsEmpty();
      await player.leave();
    });
    return { ...messages, of: relay.publishedMessages };
  }

  /** Replay mode: messages that are published one by one while their user is away, then received together on the return. */
  async held(messages: number): Promise<Days> {
    const { relay } = this;
    const user = `held-${messages}`;
    let cursor = await missMessages(relay, user, []);
    // The resume is what delivers them, so it belongs to the messages here.
    return this.daysOf(messages, [...MESSAGE_FUNCTIONS, "resume"], async () => {
      for (let index = 0; index < messages; index++) {
        await relay.publishOne({ user, message: bodyOf(index) });
        await relay.untilQueueIsEmpty();
        await this.pass(HELD_MS / messages);
      }
      const player = await Player.connect(relay, user, cursor, messages);
      await this.pass(MINUTE_MS, [player]);
      cursor = player.cursor ?? cursor;
      await player.leave();
      return HELD_MS + MINUTE_MS;
    });
  }

  /** Connections that open, resume in replay mode, and end. */
  async connections(connections: number): Promise<Tally> {
    const { relay, mode } = this;
    await relay.record();
    for (let index = 0; index < connections; index++) {
      const player = await Player.connect(relay, `connected-${mode}-${index}`);
      await player.leave();
    }
    return this.tally(await relay.recorded(), connections, 0, CONNECTION_FUNCTIONS);
  }

  /** Retry mode: failed attempts of one message to a user who is away. */
  async failedAttempts(attempts: number): Promise<Tally> {
    const { relay } = this;
    await relay.record();
    await relay.publishOne({ user: "away", message: bodyOf(0) });
    await until(async () => (await relay.metric("Retried")) >= attempts);
    const recording = await relay.recorded();
    await relay.purgeQueue();
    return this.tally(recording, recording.invocations.deliver ?? 0, 0, ["deliver"]);
  }

  /** Each day connects the users, plays, and disconnects them. */
  private days(users: readonly string[], messages: number, play: (players: Player[]) => Promise<void>): Promise<Days> {
    const { relay } = this;
    return this.daysOf(messages, MESSAGE_FUNCTIONS, async () => {
      const players: Player[] = [];
      for (const user of users) players.push(await Player.connect(relay, user));
      await play(players);
      await relay.untilQueueIsEmpty();
      for (const player of players) await player.leave();
      return PROFILE.connectionMinutes * MINUTE_MS;
    });
  }

  /** @param play Returns how long it took by the relay's clocks. */
  private async daysOf(messages: number, by: readonly string[], play: () => Promise<number>): Promise<Days> {
    let usual: Profile | undefined;
    // Nothing of a day is left for the next one.
    if (this.mode === "retry") usual = await this.once(messages, by, play);
    for (let day = 0; !usual || day < DAYS - 1; day++) {
      const profile = await this.profile(messages, by, play, (playedMs) => this.pass(DAY_MS - playedMs));
      if (day === USUAL_DAY) usual = profile;
    }
    return { usual, last: this.mode === "retry" ? usual : await this.once(messages, by, play) };
  }

  /** Plays, and then lets the messages expire. */
  private async once(messages: number, by: readonly string[], play: () => Promise<unknown>): Promise<Profile> {
    const { relay, mode } = this;
    const expire = async () => void (mode === "replay" && (await relay.sweep(SWEEPS_AHEAD_MS)));
    return this.profile(messages, by, play, expire);
  }

  private async profile<T>(
    messages: number,
    by: readonly string[],
    play: () => Promise<T>,
    afterwards: (played: T) => Promise<void>,
  ): Promise<Profile> {
    const { relay } = this;
    const before = await this.storedKeys();
    await relay.record();
    const played = await play();
    const storedGbMonths = await this.storage(before);
    await afterwards(played);
    const recording = withoutSweeps(await relay.recorded());
    return {
      messages: { ...this.tally(recording, messages, relay.publishRequests, by), storedGbMonths },
      connection: this.tally(recording, messages, 0, CONNECTION_FUNCTIONS),
    };
  }

  /**
   * Lets time pass. The relay's clocks stay, but what is stored becomes older, so that the functions and the services agree on
   * the time; then the sweeper runs.
   */
  private async pass(durationMs: number, players: readonly (Player | undefined)[] = []): Promise<void> {
    const { relay, mode } = this;
    for (const player of players) await player?.pass(durationMs);
    if (mode === "retry") return;
    await relay.age(durationMs);
    await relay.sweep([0]);
  }

  /** What the items that were added since `before` cost to keep: until their TTL, or until the sweeper deletes them. */
  private async storage(before: ReadonlySet<string>): Promise<number> {
    if (this.mode === "retry") return 0;
    const nowSeconds = Date.now() / 1000;
    const added = (await this.relay.historyItems()).filter((item) => !before.has(keyOf(item)));
    return added.reduce((sum, item) => {
      const { N: expires } = item.expiration_date ?? {};
      const seconds = expires === undefined ? RETENTION_MS / 1000 : Math.max(0, Number(expires) - nowSeconds);
      // DynamoDB adds 100 bytes to each stored item: https://aws.amazon.com/dynamodb/pricing/on-demand/
      return sum + ((itemBytes(item) + 100) / 1024 ** 3) * (seconds / (730 * 3600));
    }, 0);
  }

  private async storedKeys(): Promise<Set<string>> {
    if (this.mode === "retry") return new Set();
    return new Set((await this.relay.historyItems()).map(keyOf));
  }

  private tally(recording: Recording, of: number, publishRequests: number, by: readonly string[]): Tally {
    const { historyTableName } = this.relay.addresses;
    return tallyOf(recording, { of, publishRequests, by, historyTableName, levels: this.levels });
  }
}

/** A user's client, whose clock passes only when it is told to. */
class Player {
  private constructor(
    private readonly client: PlayedClient,
    private readonly reception: Reception,
    private readonly clock: VirtualClock,
  ) {}

  /** @param missed How many messages wait for it: it returns once they have arrived. */
  static async connect(relay: BenchRelay, user: string, cursor?: Cursor, missed = 0): Promise<Player> {
    const [reception, clock] = [new Reception(), new VirtualClock(Date.now())];
    const arrived = missed > 0 ? reception.received(missed) : Promise.resolve();
    const client = await PlayedClient.connect(relay, user, reception, cursor, { clock, ...whole(reception) });
    await arrived;
    return new Player(client, reception, clock);
  }

  /** Of the last message that it has received. */
  get cursor(): Cursor | undefined {
    return this.client.cursor;
  }

  async receive(messages: number, publish: () => Promise<void>): Promise<void> {
    const arrived = this.reception.received(messages);
    await publish();
    await arrived;
  }

  pass(durationMs: number): Promise<void> {
    return this.client.pass(this.clock, durationMs);
  }

  leave(): Promise<void> {
    return this.client.leave();
  }
}

/** A stream counts as one message once it is complete. */
export function whole(reception: Reception): Pick<RelayClientOptions, "onStream"> {
  return { onStream: ({ id, status }) => void (status === "closed" && reception.message(id)) };
}

async function streamAtPace(stream: RelayStream, texts: readonly string[]): Promise<void> {
  const startMs = performance.now();
  for (const [index, text] of texts.entries()) {
    await delay(Math.max(0, startMs + (index * 1000) / PACE - performance.now()));
    await stream.append(text);
  }
  await stream.close();
}

function keyOf({ session, entry }: Item): string {
  return JSON.stringify([session, entry]);
}

/** The sweeper's runs, their log and its queries that find nothing cost the same with any number of messages. */
function withoutSweeps({ calls, invocations, logs }: Recording): Recording {
  const without = <T>(all: Record<string, T>) =>
    Object.fromEntries(Object.entries(all).filter(([name]) => name !== "expire"));
  const isEmpty = ({ by, units }: Recording["calls"][number]) => by === "expire" && units?.empty;
  return { calls: calls.filter((call) => !isEmpty(call)), invocations: without(invocations), logs: without(logs) };
}
