import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { spec } from "../components/args/spec";
import type { Mode } from "./deployed";

/** Config of a local run with the relay's own defaults, where the stack `dev` has others. */
export function relayConfig(delivery: Mode): Record<string, string> {
  const { config } = parse(readFileSync(join(__dirname, "../Pulumi.dev.yaml"), "utf8")) as {
    config: Record<string, unknown>;
  };
  const options = spec as Record<string, { default?: unknown } | undefined>;
  const defaults = Object.keys(config).flatMap((qualified) => {
    const key = qualified.split(":").at(-1) ?? "";
    const value = options[key]?.default;
    return ["number", "string"].includes(typeof value) ? [[key, String(value)]] : [];
  });
  return { ...(Object.fromEntries(defaults) as Record<string, string>), delivery };
}
