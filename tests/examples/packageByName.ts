import Module from "node:module";
import { resolve } from "node:path";

/** The package's entries, as its `exports` have them, by their sources: an example asks for them by name. */
const entries: Record<string, string> = {
  "pulumi-websocket-relay": "components/index.ts",
  "pulumi-websocket-relay/backend": "backend/index.ts",
};

const loader = Module as unknown as { _resolveFilename: (request: string, ...rest: unknown[]) => string };
const resolveFilename = loader._resolveFilename;

// Loaded by `-r` before an example, or by a test.
loader._resolveFilename = (request, ...rest) => {
  const source = entries[request];
  return source === undefined ? resolveFilename(request, ...rest) : resolve(__dirname, "../..", source);
};
