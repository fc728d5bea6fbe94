import type { FleetMeasurement } from "./measureFleet";

const A_MILLION = 1_000_000;

/** 1.25 times what a million clients need at an account's 500 new connections a second. */
const MILLION_BACK_SECONDS = (1.25 * A_MILLION) / 500;

/** What the first version of the client library took, in seconds. */
const THOUSAND_BACK_SECONDS = { atOnce: 3, afterOutage: 60 };

/** A figure of the fleet, and the most that it should be. */
type FleetFigure = [
  what: string,
  unit: string,
  measuredOf: (fleet: FleetMeasurement) => { value: number; of: unknown },
  atMost?: number,
];

const back = (of: FleetMeasurement["reconnect"]["large"]) => ({ value: of.allBackSeconds ?? Infinity, of });
const perSecondOf = (count: number, { days }: FleetMeasurement["idle"]) =>
  Math.round((count * A_MILLION) / (days * 86_400));

export const FLEET_FIGURES: readonly FleetFigure[] = [
  [
    "a million clients lose their connections at once: until all are back",
    "s",
    ({ reconnect }) => back(reconnect.large),
    MILLION_BACK_SECONDS,
  ],
  [
    "the same, if refused handshakes take the account's requests",
    "s",
    ({ reconnect }) => back(reconnect.largeCounted),
    MILLION_BACK_SECONDS,
  ],
  [
    "the same: the account's other requests that are refused",
    "ratio",
    ({ reconnect }) => ({ value: reconnect.largeCounted.othersRefused, of: reconnect.largeCounted }),
  ],
  [
    "a thousand clients lose their connections at once: until all are back",
    "s",
    ({ reconnect }) => back(reconnect.small),
    THOUSAND_BACK_SECONDS.atOnce,
  ],
  [
    "the same after an outage of ten minutes",
    "s",
    ({ reconnect }) => back(reconnect.smallAfterOutage),
    THOUSAND_BACK_SECONDS.afterOutage,
  ],
  ["a thousand clients in an account with ten executions", "s", ({ reconnect }) => back(reconnect.newAccount)],
  [
    "a million quiet clients in replay mode: heartbeats",
    "requests/s",
    ({ idle }) => ({ value: perSecondOf(idle.pings, idle), of: idle }),
    10_000,
  ],
  [
    "the same: new connections",
    "connections/s",
    ({ idle }) => ({ value: perSecondOf(idle.connections, idle), of: idle }),
    500,
  ],
  ...([10, 100] as const).map((size): FleetFigure => [
    `messages to one session, replay, batches of ${size}`,
    "messages/s",
    ({ hotUser }) => ({ value: hotUser[`batchesOf${size}`].messagesPerSecond, of: hotUser[`batchesOf${size}`] }),
  ]),
  ...(["retry", "replay"] as const).map((mode): FleetFigure => [
    `messages to a thousand sessions, ${mode}, batches of 10, ten invocations at a time`,
    "messages/s",
    ({ deliver }) => ({ value: deliver[mode].messagesPerSecond, of: deliver[mode] }),
  ]),
  [
    "messages to users who do not come back, until the retry queue is full, retry",
    "messages/s",
    ({ away }) => ({ value: away.messagesPerSecond, of: away }),
  ],
  ...(
    [
      ["one user is flooded: how long others' messages wait, p99", "grouped"],
      ["the same without message groups", "ungrouped"],
      ["the same with message groups, over a thousand users", "manyUsers"],
    ] as const
  ).map(([what, key]): FleetFigure => [what, "ms", ({ flood }) => ({ value: flood[key].p99Ms, of: flood[key] })]),
];
