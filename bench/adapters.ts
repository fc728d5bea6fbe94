import { RelayBackend } from "../backend";
import { spec } from "../components/args/spec";

/** Whether a session of this commit's relay may have several connections, and raw clients are accepted in replay mode. */
export function hasConnections(options: object = spec): boolean {
  return "connections" in options;
}

/** Whether the backend library of this commit has streams. */
export function hasStreams(backend: object = RelayBackend.prototype): boolean {
  return "stream" in backend;
}

/** What this commit lacks, and how it is measured instead. */
export function adaptersOf(options: object = spec, backend: object = RelayBackend.prototype): string[] {
  const adapters: string[] = [];
  if (!("publishBatch" in backend)) {
    adapters.push("RelayBackend has no publishBatch: the messages of a batch are published one by one");
  }
  if (!hasConnections(options)) {
    adapters.push("the component has no argument connections: the rows connections, raw and fleet are not measured");
  }
  if (!hasStreams(backend)) adapters.push("RelayBackend has no stream: the row streams is not measured");
  return adapters;
}
