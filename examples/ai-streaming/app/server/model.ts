import { setTimeout as delay } from "node:timers/promises";

/** What a model streams: the texts of an answer, as they are generated. It throws if the answer fails or is stopped. */
export type Model = (prompt: string, signal: AbortSignal) => AsyncIterable<string>;

const TOKENS = 500;
const TOKENS_PER_SECOND = 50;
const WORDS = [
  "the",
  "answer",
  "arrives",
  "token by token",
  "and",
  "survives",
  "a",
  "dropped",
  "connection",
  "✓",
  "🚀",
];

/** The tokens of the fake model's answer: the same for the same prompt. */
export function tokensOf(prompt: string): string[] {
  return Array.from({ length: TOKENS }, (_, index) => {
    const word = WORDS[(index * 7 + prompt.length) % WORDS.length];
    return `${word}${index % 25 === 24 ? ".\n" : ` (${index}) `}`;
  });
}

/** Answers without a network or a key: 500 tokens, 50 a second. The answer to "Fail" fails after 20. */
export async function* fakeModel(prompt: string, signal: AbortSignal): AsyncGenerator<string> {
  const startMs = performance.now();
  for (const [index, token] of tokensOf(prompt).entries()) {
    const dueMs = startMs + (index * 1000) / TOKENS_PER_SECOND;
    if (prompt === "Fail" && index === 20) throw new Error("the fake model failed");
    await delay(Math.max(0, dueMs - performance.now()), undefined, { signal });
    yield token;
  }
}
