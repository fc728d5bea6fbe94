import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";

new aws.sqs.Queue("soon", { delaySeconds: 1 });
new aws.sqs.Queue("never", { delaySeconds: 1, policy: pulumi.output(new Promise<string>(() => undefined)) });
