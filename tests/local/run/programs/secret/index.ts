import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";

const queue = new aws.sqs.Queue("queue", { policy: pulumi.secret("hidden"), tags: { key: pulumi.secret("inner") } });

export const url = queue.url;
export const partition = aws.getPartitionOutput().partition;
export const secret = pulumi.secret("told");
