#!/bin/sh
# @pulumi/pulumi 3.248.0: of a union of inputs, the schema that Pulumi makes of a TypeScript component keeps one type and drops
# the others without an error, so that the SDKs for other languages do not take them. Which one depends on the order in which
# TypeScript meets the types. A union without inputs is refused with an error.
#
# Seen with Node 20.20:
#   Input<string> | Input<number>: number
#   Input<number> | Input<string>: string
#   string | number: Union types are not supported
#
# Exits 0 while that is so, and otherwise with another status.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --no-save --ignore-scripts @pulumi/pulumi@3.248.0 typescript@5.9.3

cat > tsconfig.json <<'JSON'
{ "compilerOptions": { "strict": true, "target": "es2022", "module": "commonjs", "types": [] }, "files": ["index.ts"] }
JSON
cat > try.cjs <<'JS'
const { writeFileSync } = require("node:fs");
const { join } = require("node:path");
const { Analyzer } = require("@pulumi/pulumi/provider/experimental/analyzer");

const folder = process.cwd();

function typeInSchema(type) {
  writeFileSync(
    "index.ts",
    `import { ComponentResource, type ComponentResourceOptions, type Input } from "@pulumi/pulumi";
export interface ThingArgs { size: ${type} }
export class Thing extends ComponentResource {
  constructor(name: string, args: ThingArgs, opts?: ComponentResourceOptions) {
    super("try:index:Thing", name, args, opts);
  }
}
`,
  );
  const analyzer = new Analyzer(folder, "try", { main: join(folder, "index.ts") }, new Set(["Thing"]));
  try {
    return analyzer.analyze().components.Thing.inputs.size.type;
  } catch ({ message }) {
    return message.replace(/ for component.*/s, "");
  }
}

const types = ["Input<string> | Input<number>", "Input<number> | Input<string>", "string | number"];
const inSchema = types.map(typeInSchema);
types.forEach((type, index) => console.log(`${type}: ${inSchema[index]}`));
process.exitCode = inSchema.join("; ") === "number; string; Union types are not supported" ? 0 : 1;
JS
node try.cjs
