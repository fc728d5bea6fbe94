import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { expect } from "chai";
import ts from "typescript";
import { parse } from "yaml";
import { resolveAlarms } from "../../components/args/alarmArgs";
import { argumentKeys, resolveArgs } from "../../components/args/args";
import { authKeys, resolveAuth } from "../../components/args/authArgs";
import { alarmsOf } from "../../components/monitoring/alarms";
import { METRICS } from "../../handlers/metrics";
import { REASONS } from "../../handlers/messages/reasons";
import { type Refusal, refusals } from "../../handlers/connect/refusals";
import { auth } from "../support/relayRun";
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

/** The defaults by their keys: each in the column after its key's. */
function defaultsIn(file: string, heading?: string, keyColumn = 1): Map<string, string> {
  return new Map(rowsIn(file, heading).map((cells) => [cells[keyColumn] ?? "", cells[keyColumn + 1] ?? ""]));
}

const written = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value));

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
  const documented = defaultsIn("docs/configuration.md");

  /** Where a default is nothing that could be written as a value. */
  const inWords: Record<string, string> = {
    auth: "none, required",
    pointInTimeRecovery: "as protectData",
    alarms: "every alarm, telling nobody",
  };
  const resolved = resolveArgs({ auth }) as object as Record<string, unknown>;
  const project = parse(read("Pulumi.yaml")) as { config: object };
  for (const key of new Set([...argumentKeys, ...Object.keys(project.config)])) {
    it(`has the argument ${key} in the configuration table, with its default`, () => {
      const value = resolved[key];
      if (value === undefined) expect(documented.get(key)).to.match(/^none(:|$)/);
      else expect(documented.get(key)).to.equal(inWords[key] ?? written(value));
    });
  }

  const resolvedAuth = resolveAuth({ oidc: { issuer: "https://login.dev", audience: "a" } }, []);
  const authDefaults: Record<string, unknown> = {
    ...resolvedAuth,
    endSessionWithToken: false,
    requireFrom: "process.cwd()",
    authenticate: "none",
  };
  const ofAuth = authKeys.filter((key) => !["cognito", "oidc"].includes(key));
  for (const key of ofAuth) {
    it(`has auth.${key} in a table, with its default`, () => {
      expect(documented.get(key)).to.equal(written(authDefaults[key]));
    });
  }
  for (const key of ["cognito.userPoolId", "cognito.clientIds", "oidc.issuer", "oidc.audience"]) {
    it(`has auth.${key} in a table, as required`, () => expect(documented.get(key)).to.equal("required"));
  }
  it("has auth.oidc.authorizedParties in a table, with its default", () => {
    expect(documented.get("oidc.authorizedParties")).to.equal("null");
  });
});

describe("docs/operations.md", () => {
  const thresholds = defaultsIn("docs/operations.md", "Alarms");
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
    expect([thresholds.get("actions"), thresholds.get("enabled")]).to.deep.equal(["[]", "true"]);
  });

  const sectionOfPage = (heading: string) =>
    read("docs/operations.md").split(`\n## ${heading}\n`)[1]?.split("\n## ")[0];
  const resolved = resolveAlarms({}, { shortest: 4, longest: 8 }, "replay");
  if (!resolved) throw new Error("alarms are on by default");
  const alarms = alarmsOf(resolved, {
    relayName: "relay",
    delivery: "replay",
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

  it("has every key of customDomain", () => {
    const documented = [...defaultsIn("docs/operations.md", "A domain of your own").keys()];
    expect(documented).to.include.members(optionsOf("components/args/customDomainArgs.ts", "CustomDomainArgs"));
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
