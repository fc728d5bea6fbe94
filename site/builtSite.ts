import { posix } from "node:path";

/** Elements whose addresses a browser follows only when told to. */
const followed = ["a", "area"];

/**
 * What is wrong with a built site: links and anchors that lead nowhere, and what a browser would load from another host.
 *
 * @param files By path, the text of each HTML and CSS file. Of others only the path counts.
 */
export function problemsOfSite(files: ReadonlyMap<string, string>): string[] {
  const anchors = new Map<string, Set<string>>();
  for (const [path, text] of files) {
    if (path.endsWith(".html"))
      anchors.set(path, new Set([...text.matchAll(/\sid="([^"]*)"/g)].map(([, id = ""]) => id)));
  }
  const pagesByProblem = new Map<string, Set<string>>();
  const report = (problem: string, path: string) =>
    pagesByProblem.set(problem, (pagesByProblem.get(problem) ?? new Set()).add(path));
  for (const [path, text] of files) {
    if (path.endsWith(".css")) foreignInCss(text).forEach((url) => report(`loads ${url}`, path));
    if (!path.endsWith(".html")) continue;
    for (const { element, address } of addressesIn(text)) {
      const problem = isForeign(address)
        ? !followed.includes(element) && `loads ${address}`
        : problemOf(address, path, files, anchors);
      if (problem) report(problem, path);
    }
  }
  // A link of the menu is on every page.
  return [...pagesByProblem].map(([problem, [first = "", ...others]]) => {
    return `${first}${others.length > 0 ? ` and ${others.length} more` : ""}: ${problem}`;
  });
}

const isForeign = (address: string) => /^(https?:)?\/\//.test(address);

function problemOf(
  address: string,
  from: string,
  files: ReadonlyMap<string, string>,
  anchors: ReadonlyMap<string, Set<string>>,
): string | undefined {
  if (/^[a-z][a-z0-9+.-]*:/i.test(address)) return undefined;
  const [, path = "", anchor = ""] = /^([^?#]*)(?:\?[^#]*)?(?:#(.*))?$/.exec(decodeURI(address)) ?? [];
  const absolute = path.startsWith("/") ? path.slice(1) : posix.join(posix.dirname(from), path);
  const target = path === "" ? from : [absolute, posix.join(absolute, "index.html")].find((file) => files.has(file));
  if (target === undefined) return `a dead link, to ${address}`;
  if (anchor !== "" && !anchors.get(target)?.has(anchor))
    return `a dead anchor, ${address}: ${target} has no such heading`;
  return undefined;
}

/** Every address in the HTML that a browser loads or follows. Text has no `<`: in HTML it is `&lt;`. */
function addressesIn(html: string): { element: string; address: string }[] {
  return [...html.matchAll(/<([a-z][a-z0-9-]*)((?:\s+[^\s=>"]+(?:="[^"]*")?)*)\s*\/?>/gi)].flatMap(
    ([, element = "", attributes = ""]) =>
      [...attributes.matchAll(/\s(href|src|srcset|poster|data|xlink:href)="([^"]*)"/g)].flatMap(
        ([, name, value = ""]) =>
          addressesOf(name ?? "", value.replaceAll("&amp;", "&")).map((address) => ({
            element: element.toLowerCase(),
            address,
          })),
      ),
  );
}

/** `a.png 1x, b.png 2x` is a `srcset`. */
function addressesOf(attribute: string, value: string): string[] {
  return attribute === "srcset" ? value.split(",").map((each) => each.trim().split(/\s/)[0] ?? "") : [value];
}

function foreignInCss(css: string): string[] {
  return [...css.matchAll(/(?:url\(|@import)\s*["']?((?:https?:)?\/\/[^"')\s]*)/g)].map(([, url = ""]) => url);
}
