import * as aws from "@pulumi/aws";

export const url = aws.sqs.getQueueOutput({ name: "missing" }).url;
