import * as aws from "@pulumi/aws";

// As the CLI runs it: the exported function is called, and its promise awaited.
export = async () => {
  const partition = await aws.getPartition();
  const queue = new aws.sqs.Queue("queue", { policy: partition.partition });
  return { url: queue.url };
};
