#!/bin/sh
# @pulumi/pulumi 3.248.0: private fields of a TypeScript component that hold outputs are outputs of the component in the schema
# that Pulumi makes, and required ones: so they are public properties in the SDKs for other languages, where they have no
# value unless the component registers them. A field with # is so by a name that TypeScript uses inside.
#
# Seen with Node 20.20, fields that are private, protected and with #:
#   properties: __#1@#hashSize, privateSize, protectedSize
#   required: __#1@#hashSize, privateSize, protectedSize
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
  size: pulumi.Input<string>;
}

export class Thing extends pulumi.ComponentResource {
  private readonly privateSize: pulumi.Output<string>;
  protected readonly protectedSize: pulumi.Output<string>;
  readonly #hashSize: pulumi.Output<string>;

  constructor(name: string, args: ThingArgs, opts?: pulumi.ComponentResourceOptions) {
    super("try:index:Thing", name, args, opts);
    this.privateSize = this.protectedSize = this.#hashSize = pulumi.output(args.size);
  }
}
TS
cat > try.cjs <<'JS'
const { join } = require("node:path");
const { Analyzer } = require("@pulumi/pulumi/provider/experimental/analyzer");
const { generateSchema } = require("@pulumi/pulumi/provider/experimental/schema");

const folder = process.cwd();
const analyzer = new Analyzer(folder, "try", { main: join(folder, "index.ts") }, new Set(["Thing"]));
const { components, typeDefinitions, dependencies } = analyzer.analyze();
const schema = generateSchema("try", "1.0.0", "", components, typeDefinitions, dependencies);
const { properties, required } = schema.resources["try:index:Thing"];
const names = Object.keys(properties).sort().join(", ");
console.log(`properties: ${names}`);
console.log(`required: ${required.join(", ")}`);
process.exitCode = /^__#\d+@#hashSize, privateSize, protectedSize$/.test(names) && required.join(", ") === names ? 0 : 1;
JS
node try.cjs
