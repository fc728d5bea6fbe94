import type { Simulation } from "./simulation";

/** How likely each kind of fault is where it can happen. Every run has all kinds, each at a fifth to four times of this rate. */
const RATES = {
  // Functions.
  "invocation crashes between two calls": 0.004,
  "invocation has no time left": 0.004,
  "clock differs from the others'": 0.4,
  "clock steps during an invocation": 0.01,
  // Tables.
  "table call fails": 0.005,
  "table call fails after it took effect": 0.005,
  "table call is made twice by the SDK": 0.005,
  "index lags": 0.15,
  "page is not a snapshot": 0.3,
  // Queues and topics.
  "queue delivers late": 0.03,
  "queue delivers twice": 0.03,
  "queue delivers twice, hours later": 0,
  "queue delivers in another order": 1,
  "queue loses a deletion": 0.02,
  "visibility is not changed": 0.03,
  "publisher publishes twice": 0.04,
  "dead letter is rejected": 0.01,
  "dead letter is accepted, and the answer is lost": 0.01,
  "dead letter is redriven": 0,
  "flush request is rejected": 0.02,
  "flush request is accepted, and the answer is lost": 0.02,
  "receipts are rejected": 0.02,
  "receipts are accepted in part": 0.02,
  // The gateway.
  "POST answers 429": 0.02,
  "client's buffer is full for a while": 0.004,
  "POST answers 500": 0.01,
  "POST answers 500 after it arrived": 0.01,
  "POST is lost": 0.01,
  "POST arrives, and its answer is lost": 0.01,
  "POST answers 410 for a live connection": 0.04,
  "POST and GET answer 410 for a live connection": 0.006,
  "GET or DELETE fails": 0.1,
  "handshake is answered, and the answer is lost": 0.03,
  "handshake takes long": 0.03,
  "disconnect is lost": 0.15,
  "disconnect is late": 0.25,
  "disconnect comes twice": 0.1,
  // Networks and users. The simulated users cause those with rate 0.
  "connection is half-open": 0,
  "connection breaks": 0,
  "connection breaks, and the client is not told": 0,
  "frame is lost with its connection": 0,
  "message is posted into a half-open connection": 0,
  "network is down": 0,
  "page is reloaded without closing": 0,
  "user is away": 0,
  "user is away for longer than the retention": 0,
  "another tab takes the session over": 0,
  "an eleventh connection is opened": 0,
  "user is disconnected by the backend": 0,
  "token ends": 0,
  "row has expired": 0,
  "all users are away for days": 0,
  "sweeper is down for days": 0,
  "TTL deletes a segment": 0,
  "message is past its own expiry": 0,
} as const;

export type FaultKind = keyof typeof RATES;

export const FAULT_KINDS = Object.keys(RATES) as FaultKind[];

export type FaultCounts = Record<FaultKind, number>;

export function noFaults(): FaultCounts {
  return Object.fromEntries(FAULT_KINDS.map((kind) => [kind, 0])) as FaultCounts;
}

/** Decides which faults happen in a run, until it is stopped. */
export class Faults {
  readonly counts = noFaults();
  private readonly rates: Record<FaultKind, number>;
  private isStopped = false;

  constructor(private readonly simulation: Simulation) {
    // From a fifth to four times: one kind of fault may hide another, and which ones do differs between runs.
    const factor = () => Math.exp(simulation.between(Math.log(0.2), Math.log(4)));
    this.rates = Object.fromEntries(
      Object.entries(RATES).map(([kind, rate]) => [kind, Math.min(rate * factor(), 0.8)]),
    ) as Record<FaultKind, number>;
  }

  /** Whether a fault happens that could happen now. */
  happens(kind: FaultKind): boolean {
    if (this.isStopped || this.simulation.random() >= this.rates[kind]) return false;
    this.counts[kind] += 1;
    return true;
  }

  /** Counts a fault that has happened. */
  count(kind: FaultKind): void {
    this.counts[kind] += 1;
  }

  /** From now on, no fault happens. */
  stop(): void {
    this.isStopped = true;
  }

  get stopped(): boolean {
    return this.isStopped;
  }
}
