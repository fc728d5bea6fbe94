import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { build, stop } from "esbuild";
import type { Line, Part } from "./player";

/** One of those that docs/client.md names. */
export interface Runtime {
  name: string;
  /** Whether its WebSocket says with which status a handshake was refused. */
  tellsStatus: boolean;
  play(part: Part): Playing;
}

/** A player that plays. */
export interface Playing {
  /** What it says, to its end, when the player and its runtime have nothing left to do. */
  lines: AsyncIterable<Line>;
  end(): void;
}

/** The Node that this runs on, with the package ws as docs/client.md prints it. */
export function nodeWithWs(): Runtime {
  return command("Node with ws", [process.execPath], { tellsStatus: true, ws: require.resolve("ws") });
}

/** All others, from a folder in which .ci/run installed them. */
export function installedIn(folder: string): Runtime[] {
  const at = (path: string) => join(folder, "node_modules", path);
  return [
    command("Node 22", [at("node22/bin/node")], { tellsStatus: false }),
    command("Node 24", [at("node24/bin/node")], { tellsStatus: false }),
    command("Node 24 with ws", [at("node24/bin/node")], { tellsStatus: true, ws: require.resolve("ws") }),
    command("Bun", [at("@oven/bun-linux-x64-baseline/bin/bun")], { tellsStatus: true }),
    command("Deno", [at("@deno/linux-x64-glibc/deno"), "run", "--allow-net", "--no-config"], { tellsStatus: true }),
    workers(at("@cloudflare/workerd-linux-64/bin/workerd")),
  ];
}

/** The players, bundled: each is one ES module. */
export class Players {
  static readonly folder = mkdtempSync(join(tmpdir(), "players-"));

  static async build(): Promise<void> {
    await build({
      entryPoints: [join(__dirname, "main.ts"), join(__dirname, "worker.ts")],
      outdir: Players.folder,
      outExtension: { ".js": ".mjs" },
      bundle: true,
      format: "esm",
      platform: "neutral",
      target: "es2022",
    });
    await stop();
  }

  static remove(): void {
    rmSync(Players.folder, { recursive: true });
  }
}

function command(name: string, [file = "", ...args]: string[], given: { tellsStatus: boolean; ws?: string }): Runtime {
  const { tellsStatus, ws } = given;
  return {
    name,
    tellsStatus,
    play(part) {
      const main = join(Players.folder, "main.mjs");
      const child = start(file, [...args, main, JSON.stringify({ ...part, ws })]);
      return { lines: linesOf(child.stdout, once(child, "exit")), end: () => child.kill("SIGKILL") };
    },
  };
}

function workers(workerd: string): Runtime {
  return {
    name: "Cloudflare Workers",
    tellsStatus: true,
    play(part) {
      const config = join(Players.folder, "workerd.capnp");
      writeFileSync(config, workerdConfig);
      const child = start(workerd, ["serve", config, "--control-fd=1"]);
      const response = async function* () {
        const [listening] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
        const { port } = JSON.parse(listening) as { port: number };
        const { body } = await fetch(`http://127.0.0.1:${port}`, { method: "POST", body: JSON.stringify(part) });
        if (body) yield* Readable.fromWeb(body as Parameters<typeof Readable.fromWeb>[0]);
      };
      return { lines: linesOf(Readable.from(response())), end: () => child.kill("SIGKILL") };
    },
  };
}

function start(file: string, args: string[]): ChildProcess & { stdout: Readable } {
  const child = spawn(file, args, { stdio: ["ignore", "pipe", "inherit"] });
  return child;
}

async function* linesOf(stream: Readable, end?: Promise<unknown>): AsyncIterable<Line> {
  for await (const line of createInterface({ input: stream })) yield JSON.parse(line) as Line;
  await end;
}

// A player reaches the relay on this machine, which workerd takes for a private network.
const workerdConfig = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    ( name = "player", worker = (
      modules = [ ( name = "worker.mjs", esModule = embed "worker.mjs" ) ],
      compatibilityDate = "2026-10-01",
    ) ),
    ( name = "internet", network = ( allow = ["private"] ) ),
  ],
  sockets = [ ( name = "http", address = "127.0.0.1:0", service = "player" ) ],
);
`;
