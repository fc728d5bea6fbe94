import { RelayBackend } from "../backend";

/** What this commit's libraries lack, and how they are measured instead. */
export function adaptersOf(): string[] {
  const adapters: string[] = [];
  if (!("publishBatch" in RelayBackend.prototype)) {
    adapters.push("RelayBackend has no publishBatch: the messages of a batch are published one by one");
  }
  return adapters;
}
