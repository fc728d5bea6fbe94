import * as aws from "@pulumi/aws";

aws.sns.Topic.get("existing", "theirs");
