#!/bin/sh
# @pulumi/pulumi 3.248.0: two interfaces of the same name, each in a file of its own, are one type in the schema that Pulumi
# makes of a TypeScript component. The second argument silently gets the properties of the first one's interface, and the
# SDKs for other languages demand them.
#
# Seen with Node 20.20:
#   disk: #/types/try:index:Size, image: #/types/try:index:Size
#   properties of Size: gigabytes
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
echo 'export interface Size { gigabytes: number }' > disk.ts
echo 'export interface Size { width: number; height: number }' > image.ts
cat > index.ts <<'TS'
import * as pulumi from "@pulumi/pulumi";
import type * as disk from "./disk";
import type * as image from "./image";

export interface ThingArgs {
  disk: disk.Size;
  image: image.Size;
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
const { components, typeDefinitions } = analyzer.analyze();
const { disk, image } = components.Thing.inputs;
console.log(`disk: ${disk.$ref}, image: ${image.$ref}`);
const types = Object.values(typeDefinitions).map(({ name, properties }) => {
  const keys = Object.keys(properties).join(", ");
  console.log(`properties of ${name}: ${keys}`);
  return keys;
});
process.exitCode = disk.$ref === image.$ref && types.join("; ") === "gigabytes" ? 0 : 1;
JS
node try.cjs
