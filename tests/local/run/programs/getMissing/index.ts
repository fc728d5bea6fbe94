import * as aws from "@pulumi/aws";

aws.sqs.Queue.get("existing", "missing");
