import { join, resolve } from "node:path";
import { format, resolveConfig } from "prettier";
import { type Control, controls, hardeningSettings } from "./securityControls";

const start =
  "<!-- Generated from packaging/securityControls.ts by packaging/generateConfiguration.ts: change the controls, and run that. -->";
const end = "<!-- End of the generated part. -->";

/** The text of docs/security.md with its controls as `securityControls.ts` has them. @param page The page as it is. */
export async function securityPage(page: string): Promise<string> {
  const [before, after] = [page.indexOf(start), page.indexOf(end)];
  if (before < 0 || after < before) throw new Error(`docs/security.md has no part between ${start} and ${end}`);
  const config = await resolveConfig(join(resolve(__dirname, ".."), "docs/security.md"));
  const generated = await format(parts().join("\n\n"), { ...config, parser: "markdown", proseWrap: "always" });
  return `${page.slice(0, before)}${start}\n\n${generated}\n${page.slice(after)}`;
}

function parts(): string[] {
  const met = controls.filter(({ exception }) => exception === undefined);
  const excepted = controls.filter(({ exception }) => exception !== undefined);
  return [
    "### Met",
    table(met),
    "### Met with a setting of yours",
    ...hardeningSettings.map((setting) => {
      const ofSetting = excepted.filter(({ exception }) => exception?.unless === setting);
      return [`With \`${setting}\`:`, list(ofSetting)].join("\n\n");
    }),
    "### Not met, and why",
    list(excepted.filter(({ exception }) => exception?.unless === undefined)),
  ];
}

/** In a table, where Security Hub or AWS Config has no such control. */
const none = "–";

function table(met: Control[]): string {
  const rows = met.map(({ securityHub = none, configRule, asks }) => [
    securityHub,
    configRule ? `\`${configRule}\`` : none,
    asks,
  ]);
  return [["Security Hub", "AWS Config", "what it asks for"], ["---", "---", "---"], ...rows]
    .map((cells) => `| ${cells.join(" | ")} |`)
    .join("\n");
}

function list(excepted: Control[]): string {
  return excepted
    .map((control) => `- **${namesOf(control)}, ${control.asks}. ${control.exception?.reason ?? ""}`)
    .join("\n");
}

function namesOf({ securityHub, configRule }: Control): string {
  const rule = configRule && `\`${configRule}\``;
  return securityHub && rule ? `${securityHub}** (${rule})` : `${securityHub ?? rule ?? ""}**`;
}
