import { printers as markdown } from "prettier/plugins/markdown";

// Without a parser here the formatter takes the built-in printer.
export { parsers } from "prettier/plugins/markdown";

const { mdast } = markdown;

/**
 * Pads a Markdown table only where its widest row still fits on a line. Prettier has that under `proseWrap: "never"` alone,
 * which would put every paragraph on one line.
 */
export const printers = {
  mdast: {
    ...mdast,
    print: (path, options, print, args) =>
      mdast.print(path, path.node.type === "table" ? { ...options, proseWrap: "never" } : options, print, args),
  },
};
