import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { expect } from "chai";
import ts from "typescript";
import { spec } from "../../components/args/spec";
import { resolveAlarms } from "../../components/args/alarmArgs";
import { alarmsOf } from "../../components/monitoring/alarms";
import { METRICS } from "../../handlers/metrics";
import { REASONS } from "../../handlers/messages/reasons";
import { type Refusal, refusals } from "../../handlers/connect/refusals";
import { optionsWithPaths } from "../support/optionPaths";
import { pages } from "./blocks";

const folder = resolve(__dirname, "../..");
const read = (file: string) => readFileSync(join(folder, file), "utf8");
const markdown = pages.filter((file) => !file.startsWith("examples/"));

/** The cells of a page's tables, or of those of one of its sections, row by row. */
function rowsIn(file: string, heading?: string): string[][] {
  return (heading === undefined ? read(file) : sectionOf(file, heading))
    .split("\n")
    .filter((line) => line.startsWith("|"))
    .map((line) => line.split("|").map((cell) => cell.trim().replaceAll("`", "")));
}

function sectionOf(file: string, heading: string): string {
  const [, section = ""] = read(file).split(`\n## ${heading}\n`);
  return section.split("\n## ")[0] ?? "";
}

describe("README", () => {
  it("has at most 250 lines", () => {
    expect(read("README.md").trimEnd().split("\n").length).to.be.at.most(250);
  });

  for (const item of ["connected", "wait for an hour", "idle"]) {
    it(`has the price that docs/capacity-and-cost.md explains, in the row "${item}"`, () => {
      const priceIn = (file: string, heading: string) =>
        rowsIn(file, heading)
          .find(([, what = ""]) => what.includes(item) && !what.startsWith("connections"))
          ?.slice(2, 4)
          .map((cell) => cell.replace(/ USD.*$/, ""));
      const price = priceIn("README.md", "Who it is for");
      expect(price).to.have.lengthOf(2).and.to.deep.equal(priceIn("docs/capacity-and-cost.md", "What it costs"));
      expect(price?.every((usd) => /^\d+\.\d\d$/.test(usd))).to.equal(true);
    });
  }
});

describe("docs/failures.md", () => {
  const made = Object.values(refusals) as ((...args: unknown[]) => Refusal)[];
  const answers = new Set(
    made.map((refusal) => refusal("access_token", 2)).map(({ statusCode, reason }) => `${statusCode} \`${reason}\``),
  );
  for (const answer of answers) {
    it(`says what the answer ${answer} to a handshake means`, () => {
      expect(sectionOf("docs/failures.md", "The handshake is refused")).to.include(`**${answer}.**`);
    });
  }

  for (const reason of Object.values(REASONS)) {
    it(`says what the reason ${reason} of a message means`, () => {
      expect(sectionOf("docs/failures.md", "A message does not arrive")).to.match(
        new RegExp(`\\*\\*\`${reason}(: [^\`]+)?\`\\*\\*`),
      );
    });
  }
});

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

  it("has every key of customDomain", () => {
    const keys = optionsOf("components/args/customDomainArgs.ts", "CustomDomainArgs");
    expect(keys).to.include("domainName");
    expect([...sections.keys()]).to.include.members(keys.map((key) => `customDomain.${key}`));
  });
});

describe("docs/operations.md", () => {
  const thresholds = Object.keys(spec.alarms.keys).filter((key) => key !== "enabled" && key !== "actions");
  const sectionOfPage = (heading: string) =>
    read("docs/operations.md").split(`\n## ${heading}\n`)[1]?.split("\n## ")[0];
  const resolved = resolveAlarms(
    { deadLetterQueueDepth: 0 },
    { retryWindowSeconds: { shortest: 4, longest: 8 }, thirdReceiveSeconds: 0 },
    "replay",
  );
  if (!resolved) throw new Error("alarms are on by default");
  const alarms = alarmsOf(resolved, {
    relayName: "relay",
    delivery: "replay",
    topicName: "topic",
    queueName: "queue",
    deadLetterQueueName: "dead-letter-queue",
    subscriptionDeadLetterQueueName: "subscription-dead-letter-queue",
    functionNames: { "{function}": "function" },
  });
  for (const alarm of Object.keys(alarms)) {
    it(`says what the alarm ${alarm} means, what to look at first, and what to do`, () => {
      const [, section = ""] = sectionOfPage("Alarms")?.split(`\n### \`${alarm}\`\n`) ?? [];
      expect(section.split("\n### ")[0])
        .to.match(/^\*\*It means:\*\*/m)
        .and.match(/^\*\*Look first at\*\*/m)
        .and.match(/^\*\*(Do|Then)\b/m);
    });
  }

  for (const metric of Object.values(METRICS)) {
    it(`says what the metric ${metric} counts`, () => {
      expect(sectionOfPage("Metrics")).to.include(`- **\`${metric}\`**`);
    });
  }

  for (const key of thresholds) {
    it(`says which alarm the threshold ${key} is of, and links to its default`, () => {
      const anchor = `configuration.md#alarms${key.toLowerCase()}`;
      expect(sectionOfPage("Alarms")).to.match(new RegExp(`\\*\\*Thresholds?:\\*\\*[^*]*${anchor}\\)`));
    });
  }

  it("has every event that a function logs", () => {
    const written = (readdirSync(join(folder, "handlers"), { recursive: true, encoding: "utf8" }) as string[])
      .filter((file) => file.endsWith(".ts"))
      .flatMap((file) => [...read(`handlers/${file}`).matchAll(/\blog(?:\.\w+|\[\w+\])\(\s*"([^"]+)"/g)])
      .map(([, event = ""]) => event);
    expect(written).to.include.members(["connected", "refused", "dead-lettered", "visibility not changed"]);
    const documented = sectionOfPage("Logs") ?? "";
    expect(written.filter((event) => !documented.includes(`\`${event}\``))).to.deep.equal([]);
  });

  it("says which events are logged at INFO, and of no other that it is", () => {
    const eventsOf = (levels: RegExp) =>
      (readdirSync(join(folder, "handlers"), { recursive: true, encoding: "utf8" }) as string[])
        .filter((file) => file.endsWith(".ts"))
        .flatMap((file) => [...read(`handlers/${file}`).matchAll(/\blog\.(\w+)\(\s*"([^"]+)"/g)])
        .flatMap(([, level = "", event = ""]) => (levels.test(level) ? [event] : []));
    const logs = (sectionOfPage("Logs") ?? "").replace(/\s+/g, " ");
    const rows = rowsIn("docs/operations.md", "Logs").filter(([, , , level]) => level === "INFO");
    const listed = rows.flatMap(([, , events = ""]) => events.split(/[,;] (?:in replay mode also )?/));
    const isAtInfo = (event: string) => listed.includes(event) || logs.includes(`\`${event}\` (\`INFO\``);
    expect(eventsOf(/^info$/).filter((event) => !isAtInfo(event))).to.deep.equal([]);
    expect(eventsOf(/^(warn|error)$/).filter(isAtInfo)).to.deep.equal([]);
  });
});

describe("docs/decisions", () => {
  const records = readdirSync(join(folder, "docs/decisions")).filter((name) => name !== "index.md");

  for (const record of records) {
    it(`has status, context, decision and consequences in ${record}, and lists it`, () => {
      const text = read(`docs/decisions/${record}`);
      expect(text).to.match(/^# .+\n\nStatus: (accepted|replaced by .+)\./);
      expect([...text.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading)).to.deep.equal([
        "Context",
        "Decision",
        "Consequences",
      ]);
      expect(read("docs/decisions/index.md")).to.include(`](${record})`);
    });
  }
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
  // Pulumi's analyzer leaves tags out, so these have sentences: tests/packaging/remoteArgs.test.ts.
  const own = files.filter((file) => file !== "components/remote/remoteArgs.ts");
  for (const file of own.filter((each) => declarationsOf(each).length > 0)) {
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
