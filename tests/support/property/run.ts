import { type FaultCounts, FAULT_KINDS, Faults, noFaults } from "./faults";
import type { Connections } from "../../../handlers/sessions/sessionRow";
import { chunkBody } from "../streams";
import type { Published } from "./ledger";
import { attributesOf, queueId } from "./modelQueue";
import { Relay, type RelayOptions } from "./relay";
import { Simulation } from "./simulation";
import { User, type UserOptions } from "./user";

export interface PropertyOptions {
  /** The number of messages published in all runs together. */
  messages: number;
  /** Seed of the first run; each further run has the next one. */
  seed: number;
  /** A deliberate mistake. @default none */
  mistake?: Mistake;
}

/** A deliberate mistake, to check that the property test detects it. */
export interface Mistake {
  alter?: RelayOptions["alter"];
  movesTooEarly?: boolean;
  /** Replaces a part of the code. Returns a function that restores it. */
  install?: () => () => void;
  /** Whether the mistake only shows when the retention passes, which it then does in each run. @default it does in some runs */
  retentionPasses?: boolean;
}

export interface PropertyResult {
  messages: number;
  runs: number;
  faults: FaultCounts;
  /** How often a client got several messages as one. */
  joined: number;
  /** Number of messages by their end. */
  fates: Record<Fate, number>;
  durationMs: number;
}

const MESSAGES_A_RUN = 500;

const HOUR_MS = 3_600_000;

const CLIENTS = ["protocol", "protocol", "raw", "both"] as const;

/** Anything unfinished this long after the last fault hangs. */
const CALM_MS = 240_000;

/**
 * Publishes messages to users under every kind of fault, in virtual time, and checks that each message is shown once and in
 * order, or reported as missing.
 *
 * @throws if one is not; the error names the seed of the run.
 */
export async function runProperty({ messages, seed, mistake = {} }: PropertyOptions): Promise<PropertyResult> {
  const begunAt = performance.now();
  const result = { messages: 0, runs: 0, faults: noFaults(), joined: 0, fates: noFates() };
  for (; result.messages < messages; result.runs++) {
    const uninstall = mistake.install?.();
    const run = new Run(seed + result.runs, Math.min(MESSAGES_A_RUN, messages - result.messages), mistake);
    try {
      await run.play();
    } catch (error) {
      const where = `seed ${seed + result.runs} (${result.messages} messages before it)`;
      throw new Error(`${where}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`, {
        cause: error,
      });
    } finally {
      uninstall?.();
    }
    result.messages += run.published.length;
    result.joined += run.joined;
    for (const kind of FAULT_KINDS) result.faults[kind] += run.faults.counts[kind];
    for (const message of run.published) result.fates[fateOf(message)] += 1;
  }
  return { ...result, durationMs: Math.round(performance.now() - begunAt) };
}

const FATES = ["shown", "raw", "half-open", "expired", "missing", "dead"] as const;

type Fate = (typeof FATES)[number];

function noFates(): Record<Fate, number> {
  return Object.fromEntries(FATES.map((fate) => [fate, 0])) as Record<Fate, number>;
}

function fateOf({ isShown, handled, acceptedBy, hasArrived, isToldExpired, inGap }: Published): Fate {
  if (isShown) return "shown";
  if (acceptedBy.size > 0) return hasArrived ? "raw" : "half-open";
  // A client handles the number of a message that has expired, too.
  if (isToldExpired) return "expired";
  return handled ? "shown" : inGap ? "missing" : "dead";
}

class Run {
  readonly published: Published[] = [];
  readonly faults: Faults;
  private readonly simulation: Simulation;
  private readonly relay: Relay;
  private readonly users: User[];
  private readonly bodies: number;
  private readonly meanMs: number;
  private hasPublished = false;
  private isOver = false;
  private areDaysPassing = false;
  private haveDaysPassed = false;
  private isSweeperDown = false;
  private sweeperDownUntilMs = 0;
  private readonly maxConnectionMs: number;
  /** Whether the retention passes for some messages. */
  private readonly passes: boolean;

  constructor(
    seed: number,
    private readonly messages: number,
    { alter, movesTooEarly, retentionPasses }: Mistake,
  ) {
    const simulation = (this.simulation = new Simulation(seed));
    this.faults = new Faults(simulation);
    const passes = (this.passes = simulation.chance(retentionPasses ? 1 : 0.3));
    const retentionMs = passes ? 300_000 : 86_400_000;
    this.maxConnectionMs = simulation.between(240_000, 600_000);
    const connections = simulation.pick<Connections>(["newest", "all"]);
    const options: RelayOptions = {
      retentionMs,
      maxConnectionMs: this.maxConnectionMs,
      alter,
      connections,
      // Shorter than a connection, so that some rows expire while it is open.
      sessionTtlSeconds: simulation.chance(0.1) ? 200 : 10_800,
      tokenSeconds: simulation.chance(0.2) ? simulation.between(60, 600) : undefined,
      deadLetterExpired: simulation.chance(0.5),
      ackSeconds: simulation.pick([undefined, 1, 5, 60]),
    };
    this.relay = new Relay(simulation, this.faults, options);
    const user: Omit<UserOptions, "name" | "clients" | "onOpen"> = {
      retentionMs,
      connections,
      maxConnectionMs: this.maxConnectionMs,
      staysAway: passes,
      movesTooEarly,
      calmMs: simulation.between(5_000, 60_000),
    };
    const count = Math.ceil(simulation.between(0, 10));
    // A user who opens a page often requests something, and the answer is published while the page connects.
    const onOpen = (opened: User) => {
      if (simulation.chance(0.5)) simulation.after(simulation.between(0, 500), () => this.publishTo(opened));
    };
    this.users = Array.from({ length: count }, (_, i) => {
      const clients = simulation.pick(CLIENTS);
      return new User(simulation, this.faults, this.relay, { ...user, clients, name: `u${i}`, onOpen });
    });
    // Few runs have messages so large that sending them takes several frames and answers: these runs take the longest.
    this.bodies = simulation.chance(0.04) ? 40_000 : simulation.pick([10, 10, 10, 1_000]);
    // Either so long that the retention passes a few times, or so short that everything happens at once.
    this.meanMs = passes ? simulation.between(1_500, 4_000) : simulation.between(50, 1_500);
  }

  get joined(): number {
    return this.relay.ledger.joined;
  }

  async play(): Promise<void> {
    const { simulation } = this;
    simulation.start(() => this.publish());
    simulation.start(() => this.sweep());
    for (const user of this.users) user.start();
    try {
      await simulation.run(() => this.hasPublished);
      this.faults.stop();
      await this.settle();
    } finally {
      this.isOver = true;
      await this.relay.end();
    }
  }

  private async publish(): Promise<void> {
    const { simulation, users } = this;
    while (this.published.length < this.messages) {
      await simulation.pause(simulation.exponential(this.meanMs * 4));
      if (simulation.chance(this.passes ? 0.003 : 0.0003)) await this.letDaysPass();
      this.publishTo(simulation.pick(users));
    }
    this.hasPublished = true;
  }

  /** Publishes several messages at once, as for a text that is generated: a third of them are chunks of a stream. */
  private publishTo(user: User): void {
    const { simulation, faults, relay, published } = this;
    const stream = published.length % 3 === 0 ? { id: `s${published.length}`, length: 0 } : undefined;
    for (let i = simulation.exponential(4); i > 0 && published.length < this.messages; i--) {
      const number = published.length;
      const hasId = simulation.chance(0.8);
      const sqsId = queueId(number);
      const id = hasId ? `m${number}` : sqsId;
      const isTooLarge = simulation.chance(0.001);
      const size = isTooLarge ? 131_050 : simulation.random() * this.bodies;
      const expires = simulation.chance(0.05) ? simulation.now + simulation.exponential(20_000) : undefined;
      if (expires !== undefined) faults.count("message is past its own expiry");
      const text = `${number} `.padEnd(size, "x");
      const body = stream ? chunkBody(stream.length, text, { id: stream.id }) : text;
      if (stream) stream.length += text.length;
      const message = relay.ledger.publish(user.key, id, body, expires && Math.ceil(expires));
      published.push(message);
      relay.rules.published(message);
      const attributes = attributesOf(message, hasId);
      relay.queue.publish(message.body, attributes, sqsId);
      if (!hasId || !faults.happens("publisher publishes twice")) continue;
      simulation.after(simulation.exponential(5_000), () =>
        relay.queue.publish(message.body, attributes, queueId(this.messages + number)),
      );
    }
  }

  /** For days, no page is open, few messages are published, and the sweeper runs late or not at all. */
  private async letDaysPass(): Promise<void> {
    const { simulation, faults, users, relay } = this;
    faults.count("all users are away for days");
    this.areDaysPassing = this.haveDaysPassed = true;
    this.isSweeperDown = simulation.chance(0.5);
    if (this.isSweeperDown) {
      faults.count("sweeper is down for days");
      relay.ledger.wasSweeperDown = true;
    }
    const untilMs = simulation.now + simulation.between(1, 9) * 24 * HOUR_MS;
    for (const user of users) user.sleepsUntilMs = untilMs;
    while (!users.every(({ isAsleep }) => isAsleep)) await simulation.pause(5_000);
    while (simulation.now < untilMs) {
      await simulation.pause(simulation.between(1, 12) * HOUR_MS);
      relay.history.deleteExpired(this.isSweeperDown ? simulation.now : this.sweeperDownUntilMs);
      if (simulation.chance(0.1)) this.publishTo(simulation.pick(users));
    }
    if (this.isSweeperDown) this.sweeperDownUntilMs = simulation.now;
    this.areDaysPassing = this.isSweeperDown = false;
  }

  /** Sweeps about every minute, sometimes before the last sweep is over. */
  private async sweep(): Promise<void> {
    const { simulation } = this;
    while (!this.isOver) {
      await simulation.pause(simulation.between(1_000, 60_000) * (this.areDaysPassing ? simulation.between(1, 30) : 1));
      if (!this.isSweeperDown) simulation.start(() => this.relay.expire());
      simulation.start(() => this.relay.endSessions());
    }
  }

  private async settle(): Promise<void> {
    const { simulation, relay, users } = this;
    for (const user of users) user.settle();
    await simulation.run(() => users.every(({ isBack }) => isBack));
    const calmAtMs = simulation.now + CALM_MS;
    // A mute connection is replaced when it reaches its maximum age. Without announced `ackSeconds`, its successor acknowledges
    // when it is replaced in turn. The sweeper reports what is still missing then.
    const overAtMs =
      calmAtMs + 2 * this.maxConnectionMs + (this.passes || this.haveDaysPassed ? relay.ledger.sweptAfterMs : 0);
    let isSettled = false;
    simulation.start(async () => {
      for (;;) {
        for (const user of users) user.settle();
        await simulation.pause(5_000);
        const open = this.open();
        if (open.length === 0) break;
        const late = open.find(
          ({ message, hangs }) => hangs && simulation.now > calmAtMs && !this.hasBeenMute(message),
        );
        const [first] = simulation.now > overAtMs ? open : late ? [late] : [];
        if (first) throw relay.ledger.violated(`${first.message.id} of ${first.message.key.context}: ${first.what}`);
      }
      isSettled = true;
    });
    await simulation.run(() => isSettled);
  }

  /** The messages whose outcome is still open. */
  private open(): { message: Published; what: string; hangs: boolean }[] {
    const { relay } = this;
    const open = this.published.flatMap((message) => {
      const what = relay.ledger.open(message);
      // A client may learn late of a message that a fault kept from being posted, a missing message waits for the sweeper, and
      // an acknowledgement that was lost silently is repeated over the next connection.
      const mayTakeLong = message.inGap || message.handled || message.letters.length > 0 || message.isExhausted;
      return what === undefined ? [] : [{ message, what, hangs: !mayTakeLong }];
    });
    const lacking = this.users
      .flatMap(({ pages }) => pages)
      .flatMap(({ viewer }) => viewer.lacking().map((message) => ({ message, name: viewer.name })));
    return [
      ...open,
      ...lacking.map(({ message, name }) => {
        const mayTakeLong = message.letters.length > 0 || message.isExhausted;
        return { message, what: `${name} lacks number ${message.stored?.seq}`, hangs: !mayTakeLong };
      }),
    ];
  }

  /** Whether nothing could be sent to the message's user during the last minute. */
  private hasBeenMute({ key }: Published): boolean {
    return this.users.some((user) => user.key.callerId === key.callerId && user.hasBeenMute);
  }
}
