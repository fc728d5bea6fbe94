// The CLI asks a language host to end by SIGINT, and waits for ten seconds. The host for Node that is not Pulumi's own
// ignores it.
const { basename } = require("node:path");

if (basename(process.argv[1] ?? "") === "pulumi-language-nodejs") process.on("SIGINT", () => process.exit());
