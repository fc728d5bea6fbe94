import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";

const policy = pulumi.output("x").apply((): string => {
  throw new Error("this apply is broken");
});
new aws.sqs.Queue("queue", { policy });
