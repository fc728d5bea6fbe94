import { posix } from "node:path";

export interface Repository {
  /** The addresses of the Markdown files that are pages of the site. */
  pages: ReadonlyMap<string, string>;
  exists: (path: string) => boolean;
  /** Where the repository can be browsed; undefined while package.json does not say. */
  url: string | undefined;
}

/**
 * What a link in a Markdown file of this repository is on the site. Links are written as GitHub follows them, from file to
 * file: to a page they become its address, to another file of the repository its address there.
 *
 * @param file The file that has the link, from the repository's root.
 * @returns undefined where the file exists but has no address: its text is then shown without a link. A link that leads
 * nowhere is returned as it is, for the check of the built site to report.
 */
export function siteLink(href: string, file: string, repository: Repository): string | undefined {
  if (/^([a-z][a-z0-9+.-]*:|#|\/)/i.test(href)) return href;
  const [, path = "", anchor = ""] = /^([^#]*)(#.*)?$/.exec(href) ?? [];
  const target = posix.join(posix.dirname(file), decodeURI(path)).replace(/\/$/, "");
  const page = repository.pages.get(target);
  if (page !== undefined) return page + anchor;
  if (!repository.exists(target)) return href;
  return repository.url && `${repository.url}/blob/HEAD/${target}${anchor}`;
}

/** Where the repository of package.json can be browsed: npm allows `github:owner/name`, a URL, and an object with one. */
export function browsableUrl(repository: string | { url: string } | undefined): string | undefined {
  const written = typeof repository === "object" ? repository.url : repository;
  return written
    ?.replace(/^(github:)?([\w.-]+\/[\w.-]+)$/, "https://github.com/$2")
    .replace(/^(git\+)?(https?|ssh):\/\/(git@)?/, "https://")
    .replace(/\.git$/, "");
}
