const { main } = require("@pulumi/pulumi/provider");
const { relayProvider } = require("pulumi-websocket-relay/remote");

// Exports nothing: of an exported component, Pulumi would analyze the TypeScript sources in each run.
main(relayProvider(require("./schema.json")), process.argv.slice(2));
