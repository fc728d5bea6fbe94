// Runs one of tests/local/programs in a process of its own, since Pulumi's runtime is global to a process, and prints
// what came of it as a line of JSON.
import { join } from "node:path";
import { Provisioner } from "../../../local/provision/provisioner";
import type { Properties } from "../../../local/provision/resource";
import { runProgram } from "../../../local/run/runProgram";

const [program = ""] = process.argv.slice(2);
const created: { name: string; inputs: Properties }[] = [];
const provisioner = new Provisioner(
  {
    "aws:sqs/queue:Queue": {
      create: ({ name, inputs }) => {
        created.push({ name, inputs });
        return Promise.resolve({ id: name, outputs: { name, url: `url of ${name}` } });
      },
      delete: () => Promise.resolve(),
      read: (id) => Promise.resolve(id === "theirs" ? { arn: `arn of ${id}` } : undefined),
    },
    "aws:sns/topic:Topic": {
      create: ({ name }) => Promise.resolve({ id: name, outputs: {} }),
      delete: () => Promise.resolve(),
    },
  },
  {
    "aws:sqs/getQueue:getQueue": ({ name }) => {
      if (!created.some((queue) => queue.name === name)) throw new Error(`there is no queue ${String(name)}`);
      return { name, url: `url of ${String(name)}, asked` };
    },
  },
);

// Reports what a program left open when its process ends, and fails it: here that is what the program is for.
const { leakedPromises } = require("@pulumi/pulumi/runtime/debuggable") as { leakedPromises: () => void };

function report(result: object): void {
  leakedPromises();
  console.log(JSON.stringify({ ...result, created }));
  process.exit();
}

runProgram({
  entry: { folder: join(__dirname, "programs", program), path: join(__dirname, "programs", program, "index") },
  stack: "test",
  config: { project: "fixture", values: {} },
  provisioner,
  onLateError: ({ message }) => report({ lateError: message }),
  stalledAfterMs: 300,
}).then(
  (outputs) => {
    if (program !== "late") report({ outputs });
  },
  ({ message }: Error) => report({ error: message }),
);
