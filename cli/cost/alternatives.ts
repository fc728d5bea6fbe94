import { increments, INCREMENTS_KB, MINUTES_A_MONTH } from "./assumed";
import { type LineItem, perMillion, totalUsd } from "./lineItem";
import type { Prices } from "./prices";
import { openedOf, sessionsPerMessageOf, type Workload } from "./workload";

/** What the same connections and messages cost with another service. */
export interface Alternative {
  service: string;
  items: LineItem[];
  usd: number;
  /** What it does not do. */
  note: string;
}

/** Services of AWS that hold a client's WebSocket, too: each connected client gets each of its messages once. */
export function alternativesOf(workload: Workload, { appSyncEvents, iotCore }: Prices): Alternative[] {
  const { messages, messageKb, awayShare, connectionsPerSession } = workload;
  const opened = openedOf(workload);
  const minutes = workload.connections * MINUTES_A_MONTH;
  const delivered = messages * sessionsPerMessageOf(workload) * connectionsPerSession;
  const live = delivered * (1 - awayShare);
  const [eventKb, mqttKb] = [
    increments(messageKb, INCREMENTS_KB.appSyncEvents),
    increments(messageKb, INCREMENTS_KB.iotCore),
  ];
  const connectionMinutes = (service: string, price: number) =>
    perMillion(service, "connection minutes", "connections x minutes a month", minutes, price);
  const [events, iot] = ["AppSync Events", "IoT Core"];
  return [
    alternative(
      events,
      [
        perMillion(
          events,
          "operations",
          `(messages published + live messages) x ceil(KB / ${INCREMENTS_KB.appSyncEvents}) + connections opened x 2`,
          (messages + live) * eventKb + opened * 2,
          appSyncEvents.perMillionOperations,
        ),
        connectionMinutes(events, appSyncEvents.perMillionConnectionMinutes),
      ],
      "stores nothing: a client that is away misses its messages",
    ),
    alternative(
      iot,
      [
        perMillion(
          iot,
          "messages",
          `(messages published + delivered) x ceil(KB / ${INCREMENTS_KB.iotCore}) + delivered (PUBACK) + connections opened x 2`,
          (messages + delivered) * mqttKb + delivered + opened * 2,
          iotCore.perMillionMessages,
        ),
        connectionMinutes(iot, iotCore.perMillionConnectionMinutes),
      ],
      "MQTT with quality of service 1: keeps messages of a persistent session for an hour by default",
    ),
  ];
}

function alternative(service: string, items: LineItem[], note: string): Alternative {
  return { service, items, usd: totalUsd(items), note };
}
