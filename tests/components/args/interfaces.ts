import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import ts from "typescript";

/** An argument as its interface declares it. */
export interface DeclaredArgument {
  path: string;
  optional: boolean;
  /** Without `pulumi.Input` and null. */
  type: string;
  docstring: string;
  /** What `@default` says. */
  default?: string;
}

const folder = resolve(__dirname, "../../../components/args");

const interfaces = new Map(
  readdirSync(folder)
    .map((file) => ts.createSourceFile(file, readFileSync(join(folder, file), "utf8"), ts.ScriptTarget.ES2022, true))
    .flatMap(({ statements }) => statements.filter((statement) => ts.isInterfaceDeclaration(statement)))
    .map((declaration) => [declaration.name.text, declaration]),
);

/** Every argument of an interface, those that it inherits and those of nested objects too. */
export function declaredArguments(name = "WebsocketRelayArgs", prefix = ""): DeclaredArgument[] {
  const declaration = interfaces.get(name);
  if (!declaration) throw new Error(`components/args has no interface ${name}`);
  const parents = (declaration.heritageClauses ?? []).flatMap(({ types }) => types.map((type) => type.getText()));
  return [
    ...parents.flatMap((parent) => declaredArguments(parent, prefix)),
    ...declaration.members.flatMap((member) => argumentsOf(member, prefix)),
  ];
}

function argumentsOf(member: ts.TypeElement, prefix: string): DeclaredArgument[] {
  if (!ts.isPropertySignature(member) || !member.type) throw new Error(`${member.getText()} is no property`);
  const path = `${prefix}${member.name.getText()}`;
  const type = withoutNull(member.type);
  const [tag] = ts.getJSDocTags(member).filter(({ tagName }) => tagName.text === "default");
  const own = {
    path,
    optional: member.questionToken !== undefined,
    type: type
      .getText()
      .replace(/pulumi\.Input<([\w[\] |]+)>/g, "$1")
      .replace(/pulumi\.Input<(.+)>/, "$1"),
    docstring: ts
      .getJSDocCommentsAndTags(member)
      .map((each) => each.getText())
      .join()
      .replace(/\s*\n\s*\*?\s*/g, " "),
    default: tag && ts.getTextOfJSDocComment(tag.comment)?.replace(/\s+/g, " "),
  };
  return [own, ...nestedArguments(type, `${path}.`)];
}

function nestedArguments(type: ts.TypeNode, prefix: string): DeclaredArgument[] {
  if (ts.isTypeLiteralNode(type)) return type.members.flatMap((member) => argumentsOf(member, prefix));
  return interfaces.has(type.getText()) ? declaredArguments(type.getText(), prefix) : [];
}

function withoutNull(type: ts.TypeNode): ts.TypeNode {
  if (!ts.isUnionTypeNode(type)) return type;
  const [first, ...others] = type.types.filter((each) => each.getText() !== "null");
  return first && others.length === 0 ? first : type;
}
