import { randomUUID } from "node:crypto";
import { arn } from "../../../local/account";
import { autoname } from "../../../local/provision/autoname";
import type { AwsRequests } from "../awsRequests";
import { type EmulatedResources, inPascalCase, type Properties, without } from "./resource";

/**
 * Log groups, and rules on a timer, which the provider counts among CloudWatch's.
 * https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_Operations.html
 * https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_Operations.html
 */
export function cloudWatchResources(aws: AwsRequests): EmulatedResources {
  const logs = (operation: string, body: Properties) => aws.json("logs", `Logs_20140328.${operation}`, body);
  const events = (operation: string, body: Properties) => aws.json("events", `AWSEvents.${operation}`, body);

  return {
    "aws:cloudwatch/logGroup:LogGroup": {
      async create(logicalName, { retentionInDays, kmsKeyId, tags, ...inputs }) {
        const logGroupName = (inputs.name as string | undefined) ?? autoname(logicalName);
        await logs("CreateLogGroup", { logGroupName, kmsKeyId, tags });
        // Without a policy, lines are kept for ever.
        if (retentionInDays !== 0) await logs("PutRetentionPolicy", { logGroupName, retentionInDays });
        return { id: logGroupName, outputs: { name: logGroupName, arn: arn("logs", `log-group:${logGroupName}`) } };
      },
      async delete(id) {
        await logs("DeleteLogGroup", { logGroupName: id });
      },
    },
    "aws:cloudwatch/eventRule:EventRule": {
      async create(logicalName, inputs) {
        const name = (inputs.name as string | undefined) ?? autoname(logicalName);
        const tags = Object.entries((inputs.tags ?? {}) as Record<string, string>);
        const { RuleArn } = await events("PutRule", {
          ...inPascalCase(without(inputs, "name", "tags")),
          Name: name,
          Tags: tags.map(([Key, Value]) => ({ Key, Value })),
        });
        return { id: name, outputs: { name, arn: RuleArn } };
      },
      async delete(id) {
        await events("DeleteRule", { Name: id });
      },
    },
    "aws:cloudwatch/eventTarget:EventTarget": {
      async create(_, { rule, ...inputs }) {
        const targetId = (inputs.targetId as string | undefined) ?? randomUUID();
        const target = { ...inPascalCase(without(inputs, "targetId")), Id: targetId };
        await events("PutTargets", { Rule: rule, Targets: [target] });
        return { id: `${rule as string}-${targetId}`, outputs: { targetId } };
      },
      async delete(_, { rule, targetId }) {
        await events("RemoveTargets", { Rule: rule, Ids: [targetId] });
      },
    },
  };
}
