// Runs the program of this folder, or the one named, under the package's mocks, and prints as JSON what it registered and
// what it exports.
const { runUnderMocks, valueOf } = require("pulumi-websocket-relay/testing");

async function withTexts({ type, name, inputs }) {
  if (type !== "aws:lambda/function:Function") return { type, name, inputs };
  const assets = Object.entries(await inputs.code.assets);
  const files = await Promise.all(assets.map(async ([file, asset]) => [file, await asset.text]));
  return { type, name, inputs: { ...inputs, code: Object.fromEntries(files) } };
}

async function run() {
  const options = { project: "consumer", stack: "test" };
  const { registrations, result } = await runUnderMocks(() => require(process.argv[2] ?? "./index"), options);
  const exported = await valueOf({ ...result });
  console.log(JSON.stringify({ registrations: await Promise.all(registrations.map(withTexts)), exported }));
}

void run();
