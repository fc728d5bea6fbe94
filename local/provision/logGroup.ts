import { arn, region } from "../account";
import { AccessDenied, type Iam } from "../iam/iam";
import { autoname } from "./autoname";
import { refusal } from "./refuse";
import type { LocalResource, LocalResources, Properties, Registration } from "./resource";

/** The names of the log groups of a local run. Their lines are in the run's own log. */
export type LogGroups = Set<string>;

/** https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html; 0 is for ever. */
const retentions = [
  0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];

const logsPrincipal = { kind: "service", service: `logs.${region}.amazonaws.com` } as const;

/** What CloudWatch Logs does with a key. https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html */
const keyActions = ["kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey"];

export function logGroupResources(logGroups: LogGroups, iam: Iam): LocalResources {
  const outputs = (name: string): Properties => ({ id: name, name, arn: arn("logs", `log-group:${name}`) });
  const check = async (groupName: string, { name, inputs }: Registration) => {
    const refuse = refusal(`log group ${name}`, "InvalidParameterException");
    if (!/^[\w./#-]{1,512}$/.test(groupName)) refuse("name", groupName, "1 to 512 letters, digits and _ - / . #");
    const { retentionInDays = 0, kmsKeyId } = inputs;
    if (!retentions.includes(Number(retentionInDays)))
      refuse("retentionInDays", retentionInDays, retentions.join(", "));
    if (kmsKeyId === undefined || kmsKeyId === "") return;
    if (!/^arn:[^:]+:kms:/.test(String(kmsKeyId))) refuse("kmsKeyId", kmsKeyId, "the ARN of a key");
    const context = { "kms:EncryptionContext:aws:logs:arn": arn("logs", `log-group:${groupName}`) };
    const use = { principal: logsPrincipal, key: String(kmsKeyId), actions: keyActions, context };
    try {
      await iam.authorize(...iam.keys.requests({ ...use, service: "logs" }));
    } catch (error) {
      if (!(error instanceof AccessDenied)) throw error;
      throw new Error(
        `AccessDeniedException: the KMS key of log group ${name} is not allowed to be used with ${groupName}: ${error.message}`,
      );
    }
  };
  const logGroup: LocalResource = {
    replaceOnChanges: ["name", "namePrefix", "logGroupClass"],
    async create(registration) {
      const name = String(registration.inputs["name"] ?? autoname(registration.name));
      await check(name, registration);
      if (logGroups.has(name)) {
        throw new Error(`ResourceAlreadyExistsException: the specified log group already exists: ${name}`);
      }
      logGroups.add(name);
      return { id: name, outputs: outputs(name) };
    },
    async update(id, registration) {
      await check(id, registration);
      return outputs(id);
    },
    delete: async (id) => void logGroups.delete(id),
  };
  return { "aws:cloudwatch/logGroup:LogGroup": logGroup };
}
