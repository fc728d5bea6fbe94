import { expect } from "chai";
import { provisionerOf } from "./provisioner";
import { withBatches } from "./resources/iam";
import { inPascalCase } from "./resources/resource";

describe("the provider in front of the second emulator", () => {
  const queue = { create: () => Promise.resolve({ id: "1", outputs: { arn: "a" } }), delete: () => Promise.resolve() };
  const provisioner = provisionerOf({ "aws:sqs/queue:Queue": queue });

  it("refuses a resource type and a function that it does not map, by name", async () => {
    expect(() => provisioner.check("aws:s3/bucket:Bucket", "pictures", {})).to.throw(
      "aws:s3/bucket:Bucket (pictures): not mapped to ministack",
    );
    const answer = await provisioner.call("aws:index/getZones:getZones", {}).catch((error: Error) => error.message);
    expect(answer).to.include("aws:index/getZones:getZones: not mapped to ministack");
  });

  it("answers a resource's inputs with its outputs", async () => {
    const created = await provisioner.create("aws:sqs/queue:Queue", "queue", { fifoQueue: true });
    expect(created).to.deep.equal({ id: "1", outputs: { fifoQueue: true, arn: "a" } });
  });

  it("writes the keys of inputs as the services do, and leaves the user's own keys alone", () => {
    const inputs = {
      __defaults: [],
      memorySize: 512,
      environment: { variables: { tableName: "t" } },
      tags: { a: "b" },
    };
    expect(inPascalCase(inputs, ["variables", "tags"])).to.deep.equal({
      MemorySize: 512,
      Environment: { Variables: { tableName: "t" } },
      Tags: { a: "b" },
    });
  });

  it("adds the actions that only ministack has to the policies, and changes nothing else", () => {
    const one = { Effect: "Allow", Action: ["sqs:SendMessage", "sqs:ReceiveMessage"], Resource: ["q"] };
    const other = { Effect: "Allow", Action: "sns:Publish", Resource: "t" };
    expect(withBatches({ Statement: [one, other] })).to.deep.equal({
      Statement: [
        { ...one, Action: ["sqs:SendMessage", "sqs:SendMessageBatch", "sqs:ReceiveMessage"] },
        { ...other, Action: ["sns:Publish", "sns:PublishBatch"] },
      ],
    });
  });
});
