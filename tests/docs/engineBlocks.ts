/** The names of the blocks that tests/engine runs with the real pulumi CLI. */
export const engineBlocks = [
  "deploy",
  "deploy-cognito",
  "destroy-protected",
  "replace-history-table",
  "replay-to-retry",
  "custom-domain",
  "alarms",
  "deploy-smallest",
  "engine-up",
  "add-plugin",
  "yaml-program",
  "deploy-yaml",
  "python-program",
  "go-program",
];
