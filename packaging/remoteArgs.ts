import { format } from "prettier";
import { type Option, type Options, spec } from "../components/args/spec";
import { allowedOf } from "./optionText";

/**
 * The text of components/remote/remoteArgs.ts: the arguments for programs in other languages. Pulumi's analyzer supports neither
 * unions of literals, nor functions, nor object types without a name.
 */
export async function remoteArgs(options: Options = spec): Promise<string> {
  const parts = [header, ...interfacesOf("RelayArgs", options, "WebsocketRelayArgs")];
  return format(parts.join("\n\n"), { parser: "typescript", printWidth: 120 });
}

const header = `// Generated from components/args/spec.ts by packaging/generateConfiguration.ts: change the spec, and run that.
/* eslint-disable @typescript-eslint/no-explicit-any -- Pulumi's analyzer does not support unknown. */
import type * as pulumi from "@pulumi/pulumi";
import type { WebsocketRelayArgs } from "../args/args";`;

/** An interface, after those of its objects. @param own The type with the same keys in TypeScript programs. */
function interfacesOf(name: string, options: Options, own: string): string[] {
  const crossing = Object.entries(options).filter(([, { programOnly }]) => !programOnly);
  const nested = crossing.flatMap(([key, { keys }]) => {
    if (keys === undefined) return [];
    const type = typeNameOf(key);
    const interfaces = interfacesOf(type, keys, `Own${type}`);
    const isUsed = interfaces.join().includes(`Own${type}[`);
    return [...(isUsed ? [`type Own${type} = NonNullable<${own}["${key}"]>;`] : []), ...interfaces];
  });
  const properties = crossing.flatMap(([key, option]) => {
    const nullAs = option.remote?.nullAs;
    return [
      docString(descriptionOf(option)),
      `${key}${option.required && !nullAs ? "" : "?"}: ${typeOf(key, option, own)};`,
      ...(nullAs ? [docString(`${nullAs.description} Default: \`false\`.`), `${nullAs.key}?: boolean;`] : []),
    ];
  });
  return [...nested, [`export interface ${name} {`, ...properties, "}"].join("\n")];
}

function typeOf(key: string, { type, keys, oneOf }: Option, own: string): string {
  if (keys !== undefined) return typeNameOf(key);
  if (type === "string" && oneOf !== undefined) return "string";
  if (type === "string or array") return "pulumi.Input<pulumi.Input<string>[]>";
  // The analyzer supports neither a type without a name nor unknown.
  if (key === "jwks") return "pulumi.Input<Record<string, any>>";
  // An Input if the relay takes an output for it.
  return `${own}["${key}"]`;
}

function typeNameOf(key: string): string {
  return `${key.charAt(0).toUpperCase()}${key.slice(1)}`;
}

function descriptionOf(option: Option): string {
  const { remote, required, otherwise, default: value } = option;
  const allowed = allowedOf(option);
  const byDefault = otherwise ?? (value === undefined || value === null ? undefined : `\`${JSON.stringify(value)}\``);
  return [
    // A callback cannot cross to another language.
    (remote?.description ?? option.description).replace(" Not with `authenticate`.", ""),
    ...(allowed === undefined ? [] : [`Allowed: ${allowed}.`]),
    ...(option.replayOnly ? ["Only in replay mode."] : []),
    ...(required && remote?.nullAs ? [`Required unless \`${remote.nullAs.key}\` is \`true\`.`] : []),
    ...(byDefault === undefined || required ? [] : [`Default: ${byDefault}.`]),
  ].join(" ");
}

function docString(text: string): string {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1) ?? "";
    if (line.length + word.length > 110) lines.push(word);
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
  }
  return lines.length === 1 ? `/** ${text} */` : `/**\n${lines.map((line) => ` * ${line}`).join("\n")}\n */`;
}
