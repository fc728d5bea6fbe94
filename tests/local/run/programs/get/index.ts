import * as aws from "@pulumi/aws";

const existing = aws.sqs.Queue.get("existing", "theirs");
const queue = new aws.sqs.Queue("queue", { policy: existing.arn });

export const url = queue.url;
export const asked = aws.sqs.getQueueOutput({ name: queue.name }).url;
