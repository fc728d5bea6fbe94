import { messageGroupOf } from "../../backend/messageGroup";
import { itemOfSegment } from "../../handlers/history/segmentItems";
import { itemBytes, writeUnitsOf } from "../../handlers/history/itemSize";
import type { Segment } from "../../handlers/history/history";
import { sessionId, type SessionKey } from "../../handlers/sessions/sessionKey";
import { SUBPROTOCOLS } from "../../protocol";
import { MemoryHistory } from "../../tests/support/memoryHistory";
import { Simulation } from "../../tests/support/property/simulation";
import { bodyOf } from "../bodies";
import type { Mode } from "../deployed";
import { percentile, rounded } from "../median";
import { DEFAULTS, FleetFunctions } from "./functions";
import { ASSUMED_MS, LIMITS, TokenBucket } from "./limits";
import { FleetQueue, type QueueOptions } from "./queue";

/** How `deliver` carries a load, in virtual time. */
class Deliveries {
  readonly simulation = new Simulation(1);
  readonly history: PartitionedHistory;
  readonly functions: FleetFunctions;
  readonly queue: FleetQueue;
  private readonly requests = new TokenBucket(LIMITS.requestsPerSecond, LIMITS.requestsBurst);

  constructor(
    private readonly mode: Mode,
    options: Partial<QueueOptions> = {},
  ) {
    const { simulation } = this;
    this.history = new PartitionedHistory(simulation);
    this.functions = new FleetFunctions(simulation, this.history, async () => {
      await simulation.pause(ASSUMED_MS.post);
      return { result: this.requests.take(simulation.now - START_MS) ? "delivered" : "throttled" };
    });
    this.queue = new FleetQueue(simulation, { ...DEFAULTS, ...options }, (client) =>
      this.functions.deliver(mode, client),
    );
  }

  connect(user: string): void {
    this.functions.table.put({
      ...keyOf(user),
      connectionId: `c-${user}`,
      connectedAt: this.simulation.now,
      expirationDate: START_MS / 1000 + 10_800,
      ...(this.mode === "replay" && { subprotocol: SUBPROTOCOLS.v1 }),
    });
  }

  /** Runs until so many messages have left the queue, and none of them was dead-lettered. @returns the virtual seconds */
  async delivered(messages: number): Promise<number> {
    await this.done(messages);
    const dead = this.queue.messages.filter(({ isDeadLettered }) => isDeadLettered);
    if (dead.length > 0) throw new Error(`${dead.length} of ${messages} messages were dead-lettered`);
    return (this.simulation.now - START_MS) / 1000;
  }

  /** Runs until so many messages have left the queue. */
  async done(messages: number): Promise<void> {
    await this.simulation.run(() => this.queue.done === messages);
  }
}

const START_MS = new Simulation(1).now;

/** The history, in which the items of each session have a partition: none has more. */
class PartitionedHistory extends MemoryHistory {
  throttled = 0;
  writeUnits = 0;
  private readonly partitions = new Map<string, { writes: TokenBucket; reads: TokenBucket }>();

  constructor(private readonly simulation: Simulation) {
    super();
  }

  override async put(key: SessionKey, segment: Segment): Promise<"stored" | "taken"> {
    const units = writeUnitsOf(itemBytes(itemOfSegment(key, segment)));
    await this.consume(this.partitionOf(key).writes, units);
    this.writeUnits += units;
    return await super.put(key, segment);
  }

  override async readBack(key: SessionKey, throughFirst: number, limit: number): Promise<Segment[]> {
    await this.consume(this.partitionOf(key).reads, 1);
    return await super.readBack(key, throughFirst, limit);
  }

  private partitionOf(key: SessionKey) {
    const { writeUnitsPerSecond, readUnitsPerSecond } = LIMITS;
    const id = sessionId(key);
    const partition = this.partitions.get(id) ?? {
      writes: new TokenBucket(writeUnitsPerSecond, writeUnitsPerSecond),
      reads: new TokenBucket(readUnitsPerSecond, readUnitsPerSecond),
    };
    this.partitions.set(id, partition);
    return partition;
  }

  /** As the SDK, which tries a throttled request three times. */
  private async consume(bucket: TokenBucket, units: number): Promise<void> {
    for (let tries = 1; !bucket.take(this.simulation.now - START_MS, units); tries++) {
      this.throttled += 1;
      if (tries === 3) throw Object.assign(new Error("throttled"), { name: "ProvisionedThroughputExceededException" });
      await this.simulation.pause(this.simulation.random() * 100 * 2 ** tries);
    }
  }
}

export interface ThroughputMeasurement {
  messages: number;
  users: number;
  maximumConcurrency: number;
  messagesPerSecond: number;
  /** Failed attempts, by reason. */
  retried: Record<string, number>;
  /** Requests to the history that the partition refused, and write units a second. */
  throttled: number;
  writeUnitsPerSecond: number;
}

/** Messages that are all in the queue at once, to so many connected users. */
export async function measureDeliver(
  mode: Mode,
  users: number,
  messages: number,
  options: Partial<QueueOptions> = {},
): Promise<ThroughputMeasurement> {
  const deliveries = new Deliveries(mode, options);
  for (let user = 0; user < users; user++) deliveries.connect(`u${user}`);
  for (let index = 0; index < messages; index++) {
    deliveries.queue.publish({ user: `u${index % users}`, body: bodyOf(index) });
  }
  const seconds = await deliveries.delivered(messages);
  return {
    messages,
    users,
    maximumConcurrency: options.maximumConcurrency ?? DEFAULTS.maximumConcurrency,
    messagesPerSecond: Math.round(messages / seconds),
    retried: deliveries.functions.reasons,
    throttled: deliveries.history.throttled,
    writeUnitsPerSecond: Math.round(deliveries.history.writeUnits / seconds),
  };
}

export interface AwayMeasurement {
  messages: number;
  attemptsPerMessage: number;
  /** From the publish to the dead letter. */
  meanSeconds: number;
  /** Messages a second to users who do not come back, at which the queue is full. */
  messagesPerSecond: number;
}

/** Retry mode: messages to users who do not come back, until they are dead-lettered. */
export async function measureAway(messages: number): Promise<AwayMeasurement> {
  const deliveries = new Deliveries("retry");
  const { simulation, queue } = deliveries;
  simulation.start(async () => {
    for (let index = 0; index < messages; index++) {
      queue.publish({ user: `away${index}`, body: bodyOf(index) });
      await simulation.pause(100);
    }
  });
  await deliveries.done(messages);
  const alive = queue.messages.filter(({ isDeadLettered }) => !isDeadLettered);
  if (alive.length > 0) throw new Error(`${alive.length} messages to users who are away were not dead-lettered`);
  const meanSeconds = mean(queue.messages, ({ sentAtMs, doneAtMs = Infinity }) => doneAtMs - sentAtMs) / 1000;
  return {
    messages,
    attemptsPerMessage: mean(queue.messages, ({ receives }) => receives),
    meanSeconds: rounded(meanSeconds, 0),
    // Little's law: in flight = rate x time in flight.
    messagesPerSecond: rounded(LIMITS.inFlight / meanSeconds, 1),
  };
}

export interface FloodMeasurement {
  /** Of the other users' messages, from the publish to the first receive, in ms. */
  p50Ms: number;
  p99Ms: number;
  /** Seconds until the flood was delivered. */
  floodSeconds: number;
}

export interface FloodRequest {
  /** Messages that one tenant publishes at once, to so many of its users. */
  messages: number;
  users: number;
  /** Whether messages have the message group of their session, as `RelayBackend` sets it. */
  grouped: boolean;
  /** Others, each of whom gets a message a second meanwhile. */
  others: number;
  seconds: number;
}

/** One tenant floods the queue; all users are connected. */
export async function measureFlood({
  messages,
  users,
  grouped,
  others,
  seconds,
}: FloodRequest): Promise<FloodMeasurement> {
  const deliveries = new Deliveries("retry");
  const { simulation, queue } = deliveries;
  const publish = (user: string, index: number) =>
    queue.publish({ user, body: bodyOf(index), ...(grouped && { group: messageGroupOf(keyOf(user)) }) });
  for (let user = 0; user < users; user++) deliveries.connect(`flood${user}`);
  for (let other = 0; other < others; other++) deliveries.connect(`other${other}`);
  for (let index = 0; index < messages; index++) publish(`flood${index % users}`, index);
  simulation.start(async () => {
    for (let index = 0; index < others * seconds; index++) {
      await simulation.pause(1000 / others);
      publish(`other${index % others}`, index);
    }
  });
  await deliveries.delivered(messages + others * seconds);
  const waits = queue.messages
    .filter(({ user }) => user.startsWith("other"))
    .map(({ sentAtMs, receivedAtMs = Infinity }) => receivedAtMs - sentAtMs);
  const lastMs = Math.max(...queue.messages.slice(0, messages).map(({ doneAtMs = Infinity }) => doneAtMs));
  return {
    p50Ms: rounded(percentile(waits, 0.5), 0),
    p99Ms: rounded(percentile(waits, 0.99), 0),
    floodSeconds: rounded((lastMs - START_MS) / 1000, 1),
  };
}

function keyOf(user: string): SessionKey {
  return { callerId: `user#${user}`, context: "chat#7" };
}

function mean<T>(all: readonly T[], of: (one: T) => number): number {
  return all.reduce((sum, one) => sum + of(one), 0) / all.length;
}
