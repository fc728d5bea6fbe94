import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The package's version. Its package.json is one folder above the sources, and two above dist. */
export function packageVersion(): string {
  const files = ["..", "../.."].map((folder) => join(__dirname, folder, "package.json"));
  const file = files.find((each) => existsSync(each));
  if (file === undefined) throw new Error(`${files.join(" and ")} do not exist. Fix: install the package again`);
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}
