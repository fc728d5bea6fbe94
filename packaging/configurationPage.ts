import { format } from "prettier";
import { type Option, type Options, rules, sections } from "../components/args/spec";
import { allowedOf, durationOf } from "./optionText";

/** The text of docs/configuration.md. */
export async function configurationPage(): Promise<string> {
  const parts = [
    introduction,
    ...sections.flatMap(({ title, options }) => [`## ${title}`, ...optionParts(options, "", 3)]),
    retryWindow,
    "## Rules between arguments",
    "Each rule is checked before anything is registered, and the error names the argument, its value, what is allowed and a fix.",
    Object.values(rules)
      .map((rule) => `- ${rule}`)
      .join("\n"),
  ];
  return format(parts.join("\n\n"), { parser: "markdown", printWidth: 120, proseWrap: "always" });
}

function optionParts(options: Options, prefix: string, level: number): string[] {
  return Object.entries(options).flatMap(([key, option]) => [
    `${"#".repeat(level)} \`${prefix}${key}\``,
    option.description +
      (option.see ? ` See [${option.see.replace(/\.md.*$/, "").replaceAll("-", " ")}](${option.see}).` : ""),
    factsOf(option)
      .map(([name, fact]) => `- ${name}: ${fact}`)
      .join("\n"),
    ...optionParts(option.keys ?? {}, `${prefix}${key}.`, 4),
  ]);
}

function factsOf(option: Option): (readonly [name: string, fact: string])[] {
  const allowed = allowedOf(option);
  return [
    ["Type", typeOf(option)],
    ["Default", defaultOf(option)],
    ...(allowed === undefined ? [] : [["Allowed", allowed] as const]),
    ...(option.replayOnly ? [["Mode", "replay only"] as const] : []),
    ...(option.since ? [["Since", option.since] as const] : []),
  ];
}

function typeOf({ type, programOnly }: Option): string {
  return `${type.replace(/array$/, "list of strings")}${programOnly ? ", in a program only" : ""}`;
}

function defaultOf({ required, otherwise, default: value, unit }: Option): string {
  if (required) return "none, required";
  if (otherwise) return otherwise;
  const duration = typeof value === "number" ? durationOf(value, unit) : undefined;
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return `\`${text}\`${duration ? ` (${duration})` : ""}`;
}

const introduction = `<!-- Generated from components/args/spec.ts by packaging/generateConfiguration.ts: change the spec, and run that. -->

# Configuration

The arguments of \`WebsocketRelay\` and the config keys of this repository's program have the same names and values. Only
[\`auth\`](#auth) is required. Set the others in the stack's file:

<!-- docs: check -->

\`\`\`yaml
config:
  pulumi-websocket-relay:auth:
    oidc:
      issuer: https://login.your-domain.com
      audience: chat
  pulumi-websocket-relay:maxAttempts: 30
\`\`\`

with the command line:

<!-- docs: check -->

\`\`\`sh
pulumi config set maxAttempts 30
pulumi config set --path auth.oidc.audience chat
\`\`\`

or in a program of your own:

<!-- docs: check -->

\`\`\`ts
import { WebsocketRelay } from "pulumi-websocket-relay";

new WebsocketRelay("relay", {
  auth: { oidc: { issuer: "https://login.your-domain.com", audience: "chat" } },
  maxAttempts: 30,
});
\`\`\`

A wrong or missing value, or a combination that AWS rules out, stops the program before it registers anything. A value that
is an output is checked as soon as it is known. A misspelled argument is refused, and so is a config key that the program
does not read.`;

const retryWindow = `## Retry window

Attempts and back-off determine the **retry window**: how long a message is retried. The output \`retryWindowSeconds\` has the
shortest and the longest window, since half of each pause is random, and a batching window adds to each attempt. The defaults
make 3,603 to 7,206 seconds, so a client can be away for an hour. \`Pulumi.dev.yaml\` makes it about a minute.`;
