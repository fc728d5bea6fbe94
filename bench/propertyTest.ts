import { Child } from "./childProcess";
import type { PropertyRequest } from "./propertyPlayer";

/** Runs the property test's model with this number of messages. @throws if one is lost or shown twice. */
export type PropertyRun = (messages: number) => Promise<{ messages: number; faults: Record<string, number> }>;

export interface PropertyTestMeasurement {
  messages: number;
  seconds: number;
  messagesPerSecond: number;
  /** How often each fault happened. */
  faults: Record<string, number>;
}

/** Measures the messages of the property test per second on this machine. */
export async function measurePropertyTest(run: PropertyRun, messages: number): Promise<PropertyTestMeasurement> {
  const start = performance.now();
  const played = await run(messages);
  const seconds = (performance.now() - start) / 1000;
  console.error(`bench: played ${played.messages} messages of the property test`);
  return {
    messages: played.messages,
    seconds: Number(seconds.toFixed(1)),
    messagesPerSecond: Math.round(played.messages / seconds),
    faults: played.faults,
  };
}

/** Runs it in its own process: in a process that has loaded Pulumi it takes ten times as long. */
export const playApart: PropertyRun = async (messages) => {
  const player = Child.start<PropertyRequest, Awaited<ReturnType<PropertyRun>>>("propertyPlayer.ts");
  try {
    return await player.ask({ messages, seed: 1 });
  } finally {
    await player.stop();
  }
};
