import { type Document, isScalar, parseDocument, type Scalar, type YAMLMap } from "yaml";
import { type Option, type Options, spec } from "../components/args/spec";
import { allowedOf } from "./optionText";

/**
 * The project file with `config` generated from the spec. Comments and everything outside of `config` are kept.
 *
 * @param source The current text of Pulumi.yaml.
 */
export function projectFile(source: string, options: Options = spec): string {
  const [block = ""] = /^config:.*\n(?:(?: .*)?\n)*/m.exec(source) ?? [];
  const document = parseDocument(block);
  const config = document.get("config") as YAMLMap<Scalar<string>>;
  const declared = Object.entries(options).filter(([, option]) => declaredDefault(option) !== undefined);
  const keys = declared.map(([key]) => key);

  config.items = config.items.filter(({ key }) => keys.includes(key.value));
  for (const [key, option] of declared) {
    if (!config.has(key)) config.set(document.createNode(key), document.createNode({}));
    const declaration = config.get(key) as YAMLMap;
    for (const [name, value] of Object.entries(declarationOf(option))) {
      if (value === undefined) declaration.delete(name);
      else setKeepingComments(document, declaration, name, value);
    }
  }
  config.items.sort((one, other) => keys.indexOf(one.key.value) - keys.indexOf(other.key.value));
  return source.replace(block, () => document.toString({ lineWidth: 120 }));
}

/** The declaration of an option in Pulumi.yaml. https://www.pulumi.com/docs/iac/concepts/projects/project-file/ */
function declarationOf(option: Option): Record<"type" | "items" | "default" | "description", unknown> {
  return {
    type: option.type,
    items: option.type === "array" ? { type: "string" } : undefined,
    default: option.required ? undefined : declaredDefault(option),
    description: descriptionOf(option),
  };
}

function descriptionOf(option: Option): string {
  const keys = Object.entries(option.keys ?? {}).filter(([, { programOnly }]) => !programOnly);
  const allowed = allowedOf(option);
  return [
    option.description,
    ...(keys.length > 0 ? [`Keys: ${keys.map(([key]) => `\`${key}\``).join(", ")}; see docs/configuration.md.`] : []),
    ...(allowed === undefined ? [] : [`Allowed: ${allowed}.`]),
    ...(option.replayOnly ? ["Only in replay mode."] : []),
    ...(option.otherwise ? [`If empty, ${option.otherwise}.`] : []),
  ].join(" ");
}

/**
 * The default in Pulumi.yaml: the CLI requires one for each declared key. Without one in the spec, it is an empty string or
 * object, which the program reads as absent. Undefined if the option cannot be declared.
 */
function declaredDefault(option: Option): unknown {
  const empty: Partial<Record<Option["type"], unknown>> = { string: "", object: {} };
  return option.default ?? empty[option.type];
}

function setKeepingComments(document: Document, map: YAMLMap, name: string, value: unknown): void {
  const former: unknown = map.get(name, true);
  if (isScalar(former) && typeof value !== "object") {
    former.value = value;
    former.type = undefined;
  } else map.set(name, document.createNode(value, { flow: name === "default" }));
  const node: unknown = map.get(name, true);
  if (isScalar(node) && name === "description") node.type = "BLOCK_FOLDED";
}
