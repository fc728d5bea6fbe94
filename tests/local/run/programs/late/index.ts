import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";

// Registers a resource long after the program is over.
pulumi
  .output(new Promise<number>((resolve) => setTimeout(() => resolve(1), 500)))
  .apply(() => new aws.sqs.Queue("late"));
