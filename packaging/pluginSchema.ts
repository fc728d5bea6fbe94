import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Analyzer } from "@pulumi/pulumi/provider/experimental/analyzer";
import { generateSchema } from "@pulumi/pulumi/provider/experimental/schema";
import { format } from "prettier";
import { type Options, spec } from "../components/args/spec";

/** The analyzer's description of an argument, as far as it is needed here. */
interface Property {
  type?: string;
  $ref?: string;
}

/**
 * The text of plugin/schema.json, which Pulumi's analyzer generates from components/remote/remoteRelay.ts.
 *
 * @throws Error that names an argument whose type the analyzer does not support.
 */
export async function pluginSchema(repository: string): Promise<string> {
  const { version, description } = require(join(repository, "package.json")) as {
    version: string;
    description: string;
  };
  const folder = mkdtempSync(join(tmpdir(), "schema-"));
  try {
    const file = join(repository, "components/remote/remoteRelay.ts");
    const config = { extends: join(repository, "tsconfig.json"), compilerOptions: { types: [] }, files: [file] };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ ...config, include: [] }));
    const analyzer = new Analyzer(folder, "websocket-relay", { main: file }, new Set(["WebsocketRelay"]));
    const { components, typeDefinitions, dependencies } = analyzer.analyze();
    const propertiesOf = (name: string) => typeDefinitions[name]?.properties ?? {};
    writeIntegers(components.WebsocketRelay?.inputs ?? {}, spec, propertiesOf);
    const schema = generateSchema("websocket-relay", version, description, components, typeDefinitions, dependencies);
    return await format(JSON.stringify(schema), { parser: "json", printWidth: 120 });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** TypeScript has one type for all numbers: without this, other languages would ask for a floating-point number as a count. */
function writeIntegers(
  properties: Record<string, Property>,
  options: Options,
  propertiesOf: (typeName: string) => Record<string, Property>,
): void {
  for (const [key, property] of Object.entries(properties)) {
    const { type, keys } = options[key] ?? {};
    if (type === "integer") property.type = "integer";
    if (keys !== undefined) writeIntegers(propertiesOf(property.$ref?.split(":").at(-1) ?? ""), keys, propertiesOf);
  }
}
