import { Child } from "./childProcess";
import type { PropertyRequest } from "./propertyPlayer";

/** Plays the property test's model for so many messages. @throws where one is lost, or shown twice. */
export type PropertyRun = (messages: number) => Promise<{ messages: number; faults: Record<string, number> }>;

export interface PropertyTestMeasurement {
  messages: number;
  seconds: number;
  messagesPerSecond: number;
  /** How often each fault happened. */
  faults: Record<string, number>;
}

/** How much of the property test this machine runs in a second. */
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

/** Plays it in a process of its own: beside Pulumi it takes ten times as long. */
export const playApart: PropertyRun = async (messages) => {
  const player = Child.start<PropertyRequest, Awaited<ReturnType<PropertyRun>>>("propertyPlayer.ts");
  try {
    return await player.ask({ messages, seed: 1 });
  } finally {
    await player.stop();
  }
};
