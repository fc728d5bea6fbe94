// Runs the program of this folder, or the one named, under Pulumi's mocks, and prints as JSON what it registered and what
// it exports.
const pulumi = require("@pulumi/pulumi");

const registrations = [];

/** Enough of what AWS would compute for everything to be registered. */
function newResource({ type, name, inputs }) {
  registrations.push({ type, name, inputs });
  const url = `wss://${name}.execute-api.eu-west-1.amazonaws.com`;
  const computed = { apiEndpoint: url, invokeUrl: `${url}/live`, executionArn: `arn:${name}`, url: `https://${name}` };
  return { id: `${name}-id`, state: { arn: `arn:${name}`, name, ...computed, ...inputs } };
}

async function withTexts({ type, name, inputs }) {
  if (type !== "aws:lambda/function:Function") return { type, name, inputs };
  const assets = Object.entries(await inputs.code.assets);
  const files = await Promise.all(assets.map(async ([file, asset]) => [file, await asset.text]));
  return { type, name, inputs: { ...inputs, code: Object.fromEntries(files) } };
}

async function run() {
  await pulumi.runtime.setMocks({ newResource, call: ({ inputs }) => inputs }, "consumer", "test", false);
  const outputs = require(process.argv[2] ?? "./index");
  // Nothing is under way any more: everything is registered.
  process.once("beforeExit", async () => {
    const exported = await new Promise((resolve) => pulumi.output({ ...outputs }).apply(resolve));
    console.log(JSON.stringify({ registrations: await Promise.all(registrations.map(withTexts)), exported }));
  });
}

void run();
