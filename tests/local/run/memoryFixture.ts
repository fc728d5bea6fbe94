// Invokes a function in a process of its own, where nothing else allocates, and prints as JSON by how many bytes the heap
// has grown. Arguments: the invocations before the first measurement, and those between it and the second.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import * as pulumi from "@pulumi/pulumi";
import { Iam } from "../../../local/iam/iam";
import { roleArn } from "../../../local/iam/roles";
import { LambdaService } from "../../../local/lambda/lambdaService";
import { everything, registerRole } from "../iam/roles";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

function heapUsedAfterCollection(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

async function grownBytes(before: number, measured: number): Promise<number> {
  const iam = new Iam();
  registerRole(iam, "r", everything);
  const service = new LambdaService({ environment: () => ({}), log: () => undefined, iam });
  try {
    await service.putFunction({
      name: "echo",
      roleArn: roleArn("r"),
      code: new pulumi.asset.AssetArchive({
        "index.js": new pulumi.asset.StringAsset("exports.handler = async (event) => event;"),
      }),
      handler: "index.handler",
      runtime: "nodejs24.x",
      timeoutSeconds: 60,
      memorySizeMb: 128,
      variables: {},
    });
    const body = "x".repeat(10_000);
    const invoke = async (times: number) => {
      for (let n = 0; n < times; n++) await service.invoke("echo", { n, body });
    };
    await invoke(before);
    const usedBefore = heapUsedAfterCollection();
    await invoke(measured);
    return heapUsedAfterCollection() - usedBefore;
  } finally {
    await service.close();
  }
}

const [before, measured] = process.argv.slice(2).map(Number) as [number, number];
void grownBytes(before, measured).then((bytes) => console.log(JSON.stringify(bytes)));
