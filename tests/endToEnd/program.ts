import { copyFileSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Relay } from "./relay";
import { repository } from "../support/repository";

/**
 * Starts the local run of another program than index.ts: `body` makes a `relay`, out of `auth` (the local issuer's), `aws`,
 * `pulumi` and the package's functions, with the config of the stack dev. The relay logs at INFO.
 *
 *     const relay = await startProgram(`const relay = new WebsocketRelay("relay", { auth, stageName: "other" });`);
 */
export async function startProgram(body: string, flags: string[] = []): Promise<Relay> {
  const folder = mkdtempSync(join(tmpdir(), "program-"));
  folders.push(folder);
  for (const file of ["Pulumi.yaml", "Pulumi.dev.yaml"]) copyFileSync(join(repository, file), join(folder, file));
  symlinkSync(join(repository, "node_modules"), join(folder, "node_modules"));
  writeFileSync(join(folder, "index.ts"), programOf(body));
  return Relay.start(["--program", folder, ...flags]);
}

const folders: string[] = [];

after(() => folders.splice(0).forEach((folder) => rmSync(folder, { recursive: true })));

function programOf(body: string): string {
  return `
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import * as relays from ${JSON.stringify(join(repository, "components"))};

const { kmsKeyPolicyStatements } = relays;
/** Logs what the tests wait for. */
class WebsocketRelay extends relays.WebsocketRelay {
  constructor(name: string, args: relays.WebsocketRelayArgs) {
    super(name, { applicationLogLevel: "INFO", ...args });
  }
}
const auth = new pulumi.Config().requireObject<relays.AuthArgs>("auth");
${body}
export const { addresses } = relay;
`;
}
