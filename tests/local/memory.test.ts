import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { Iam } from "../../local/iam";
import { roleArn } from "../../local/iam/roles";
import { LambdaService } from "../../local/lambda/lambdaService";
import { everything, registerRole } from "./roles";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

function heapUsedAfterCollection(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

describe("the local run's memory", () => {
  it("is the same after 10,000 invocations more", async () => {
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
      await invoke(500);
      const before = heapUsedAfterCollection();

      await invoke(10_000);

      // Half of what one in ten of the bodies would take.
      expect(heapUsedAfterCollection() - before).to.be.below(5_000_000);
    } finally {
      await service.close();
    }
  });
});
