import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { expect } from "chai";
import ts from "typescript";
import { resolveAlarms } from "../../components/args/alarmArgs";
import { optionsWithPaths } from "../support/optionPaths";

const folder = resolve(__dirname, "../..");
const read = (file: string) => readFileSync(join(folder, file), "utf8");
const pages = (readdirSync(join(folder, "docs"), { recursive: true }) as string[]).filter((file) =>
  file.endsWith(".md"),
);
const markdown = ["README.md", "CHANGELOG.md", ...pages.map((file) => `docs/${file}`)];

/** The defaults by their keys, as a section's tables have them: the value stands in the column after its key's. */
function defaultsIn(file: string, heading: string, keyColumn = 1): Map<string, string> {
  const [, section = ""] = read(file).split(`\n## ${heading}\n`);
  const rows = (section.split("\n## ")[0] ?? "")
    .split("\n")
    .filter((line) => line.startsWith("|"))
    .map((line) => line.split("|").map((cell) => cell.trim().replaceAll("`", "")));
  return new Map(rows.map((cells) => [cells[keyColumn] ?? "", cells[keyColumn + 1] ?? ""]));
}

describe("docs/configuration.md", () => {
  const sections = new Map(
    read("docs/configuration.md")
      .split(/^#{3,4} (?=`)/m)
      .slice(1)
      .map((section) => [/^`(.+)`/.exec(section)?.[1] ?? "", section]),
  );

  for (const { path, option } of optionsWithPaths()) {
    it(`has a section on ${path}, with its type and its default`, () => {
      const { required, otherwise, default: value } = option;
      const written = typeof value === "string" ? value : JSON.stringify(value);
      const byDefault = required ? "none, required" : (otherwise ?? `\`${written}\``);
      expect(sections.get(path)).to.include("\n- Type: ").and.include(`\n- Default: ${byDefault}`);
    });
  }

  it("has a section on nothing else", () => {
    const paths = optionsWithPaths().map(({ path }) => path);
    expect([...sections.keys()]).to.have.members(paths);
  });
});

describe("docs/operations.md", () => {
  const thresholds = defaultsIn("docs/operations.md", "Alarms", 3);
  const { actions, ageAtFailedAttemptSeconds, ...values } = resolveAlarms({}, { shortest: 4, longest: 8 }) ?? {};

  for (const [key, value] of Object.entries(values)) {
    it(`has the threshold ${key} in the alarms' table, with its default`, () => {
      expect(thresholds.get(key)).to.equal(String(value));
    });
  }

  it("has the alarms' other defaults", () => {
    expect(ageAtFailedAttemptSeconds).to.equal(3);
    expect(thresholds.get("ageAtFailedAttemptSeconds")).to.equal("three quarters of the shortest retry window");
    expect(actions).to.deep.equal([]);
    const others = defaultsIn("docs/operations.md", "Alarms");
    expect([others.get("actions"), others.get("enabled")]).to.deep.equal(["[]", "true"]);
  });

  it("has every key of customDomain", () => {
    const documented = [...defaultsIn("docs/operations.md", "A domain of your own").keys()];
    expect(documented).to.include.members(optionsOf("components/args/customDomainArgs.ts", "CustomDomainArgs"));
  });
});

describe("the documentation", () => {
  for (const file of markdown) {
    it(`has no relative link in ${file} that leads nowhere`, () => {
      const broken = linksOf(file).filter(({ target, anchor }) => {
        if (!existsSync(target)) return true;
        return anchor !== undefined && !anchorsOf(relative(folder, target)).includes(anchor);
      });
      expect(broken.map(({ link }) => link)).to.deep.equal([]);
    });
  }

  it("links to what the npm package holds too", () => {
    const { files } = JSON.parse(read("package.json")) as { files: string[] };
    const packed = [...files, "README.md"];
    const missing = markdown
      .flatMap(linksOf)
      .map(({ target }) => relative(folder, target))
      .filter((path) => !packed.some((each) => path === each || path.startsWith(`${each}/`)));
    expect(missing).to.deep.equal([]);
  });
});

describe("every optional argument", () => {
  const files = ["components", "backend"].flatMap((name) =>
    (readdirSync(join(folder, name), { recursive: true }) as string[])
      .filter((file) => file.endsWith(".ts"))
      .map((file) => `${name}/${file}`),
  );
  for (const file of files.filter((each) => declarationsOf(each).length > 0)) {
    it(`says in ${file} what happens without it`, () => {
      const silent = declarationsOf(file).flatMap((declaration) => withoutDefault(declaration));
      expect(silent).to.deep.equal([]);
    });
  }
});

interface Link {
  link: string;
  target: string;
  anchor?: string;
}

function linksOf(file: string): Link[] {
  return [...withoutCode(file).matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, link = ""]) => {
    if (/^https?:/.test(link)) return [];
    const [path = "", anchor] = link.split("#");
    return { link, anchor, target: path === "" ? join(folder, file) : resolve(folder, dirname(file), path) };
  });
}

/** As GitHub makes them of headings. */
function anchorsOf(file: string): string[] {
  return [...withoutCode(file).matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );
}

function withoutCode(file: string): string {
  return read(file).replace(/^```[^]*?^```/gm, "");
}

/** The interfaces of a file that its callers fill in. */
function declarationsOf(file: string): ts.InterfaceDeclaration[] {
  const source = ts.createSourceFile(file, read(file), ts.ScriptTarget.ES2022, true);
  return source.statements
    .filter((statement) => ts.isInterfaceDeclaration(statement))
    .filter(({ name }) => /(Args|Options|Publication)$/.test(name.text) && !/^Resolved/.test(name.text));
}

function optionsOf(file: string, name: string): string[] {
  const declaration = declarationsOf(file).find((each) => each.name.text === name);
  return declaration?.members.map((member) => member.name?.getText() ?? "") ?? [];
}

/** Optional properties that name no default, those of nested types too. */
function withoutDefault(declaration: ts.InterfaceDeclaration | ts.TypeLiteralNode): string[] {
  return declaration.members.filter(ts.isPropertySignature).flatMap((property) => {
    const tells = ts.getJSDocTags(property).some(({ tagName }) => tagName.text === "default");
    const own = property.questionToken && !tells ? [property.name.getText()] : [];
    const { type } = property;
    return type && ts.isTypeLiteralNode(type) ? [...own, ...withoutDefault(type)] : own;
  });
}
