#!/bin/sh
# @pulumi/pulumi 3.248.0: a property's comment with a {@link} becomes "[object Object],…" in the schema that Pulumi makes of a
# TypeScript component, and so in the SDKs for other languages. A comment without a link is taken as it is. TypeScript's
# editors and compiler know the tag: https://www.typescriptlang.org/docs/handbook/jsdoc-supported-types.html#link
#
# Seen with Node 20.20:
#   without a link: How many.
#   with a link: [object Object],[object Object],[object Object]
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
cat > index.ts <<'TS'
import * as pulumi from "@pulumi/pulumi";

export interface ThingArgs {
  /** How many. */
  plain: pulumi.Input<string>;
  /** How many, as {@link Thing} says. */
  linked: pulumi.Input<string>;
}

export class Thing extends pulumi.ComponentResource {
  constructor(name: string, args: ThingArgs, opts?: pulumi.ComponentResourceOptions) {
    super("try:index:Thing", name, args, opts);
  }
}
TS
cat > try.cjs <<'JS'
const { join } = require("node:path");
const { Analyzer } = require("@pulumi/pulumi/provider/experimental/analyzer");

const folder = process.cwd();
const analyzer = new Analyzer(folder, "try", { main: join(folder, "index.ts") }, new Set(["Thing"]));
const { plain, linked } = analyzer.analyze().components.Thing.inputs;
console.log(`without a link: ${plain.description}`);
console.log(`with a link: ${linked.description}`);
const isAsDescribed = plain.description === "How many." && linked.description.startsWith("[object Object],");
process.exitCode = isAsDescribed ? 0 : 1;
JS
node try.cjs
