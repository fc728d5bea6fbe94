import { type EventRules, ruleArnOf } from "../events/eventRules";
import { ratePeriodMs } from "../events/scheduleExpression";
import { autoname } from "./autoname";
import { isIntegerWithin } from "./integerWithin";
import { type Refuse, refusal } from "./refuse";
import type { LocalResource, LocalResources, Properties } from "./resource";

/** Scheduled rules and their targets. */
export function eventRuleResources(rules: EventRules): LocalResources {
  return {
    "aws:cloudwatch/eventRule:EventRule": ruleResource(rules),
    "aws:cloudwatch/eventTarget:EventTarget": targetResource(rules),
  };
}

function ruleResource(rules: EventRules): LocalResource {
  const outputs = (name: string): Properties => ({ id: name, name, arn: ruleArnOf(name), eventBusName: "default" });
  return {
    replaceOnChanges: ["name", "namePrefix", "eventBusName"],
    async create({ name: logicalName, inputs }) {
      const name = String(inputs["name"] ?? autoname(logicalName));
      const refuse = refusal(`event rule ${logicalName}`, "ValidationException");
      if (!/^[\w.-]{1,64}$/.test(name)) refuse("name", name, "1 to 64 letters, digits and . _ -");
      rules.put(name, settings(logicalName, inputs));
      return { id: name, outputs: outputs(name) };
    },
    async update(id, { name: logicalName, inputs }) {
      rules.put(id, settings(logicalName, inputs));
      return outputs(id);
    },
    async delete(id, { forceDestroy }) {
      const targets = rules.targetIds(id);
      if (targets.length > 0 && !forceDestroy) {
        throw new Error(`ValidationException: Rule can't be deleted since it has targets: ${targets.join(", ")}`);
      }
      rules.delete(id);
    },
  };
}

function settings(name: string, inputs: Properties): { periodMs: number; enabled: boolean } {
  const refuse = refusal(`event rule ${name}`, "ValidationException");
  const { scheduleExpression, eventBusName = "default", isEnabled, state } = inputs;
  // Other buses take no schedules. https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html
  if (eventBusName !== "default") refuse("eventBusName", eventBusName, "default for a scheduled rule");
  const periodMs = ratePeriodMs(String(scheduleExpression));
  if (periodMs === undefined) {
    return refuse(
      "scheduleExpression",
      scheduleExpression,
      "rate(1 minute), rate(5 minutes), … hours or days; cron has no local counterpart",
    );
  }
  if (isEnabled !== undefined && state !== undefined) refuse("state", state, "absent where isEnabled is given");
  if (state !== undefined && state !== "ENABLED" && state !== "DISABLED") refuse("state", state, "ENABLED or DISABLED");
  return { periodMs, enabled: isEnabled !== false && state !== "DISABLED" };
}

function targetResource(rules: EventRules): LocalResource {
  const put = (id: string, name: string, inputs: Properties): void => {
    const refuse = refusal(`event target ${name}`, "ValidationException");
    const { rule, arn, input, retryPolicy } = inputs as {
      rule: string;
      arn: string;
      input?: string;
      retryPolicy?: Properties;
    };
    if (!rules.has(rule))
      throw new Error(`ResourceNotFoundException: Rule ${rule} does not exist on EventBus default.`);
    if (!/^arn:[^:]+:lambda:[^:]+:\d+:function:/.test(arn)) refuse("arn", arn, "a function's ARN");
    if (input !== undefined && !isJson(input)) refuse("input", input, "JSON");
    if (retryPolicy) checkRetryPolicy(retryPolicy, refuse);
    rules.putTarget(rule, id, { functionArn: arn, input });
  };
  return {
    replaceOnChanges: ["rule", "targetId", "eventBusName"],
    async create({ name, inputs }) {
      const targetId = String(inputs["targetId"] ?? autoname(name));
      put(targetId, name, inputs);
      return { id: `${String(inputs["rule"])}-${targetId}`, outputs: { targetId } };
    },
    async update(_, { name, inputs }, { targetId }) {
      put(String(targetId), name, inputs);
      return { targetId };
    },
    delete: async (_, { rule, targetId }) => rules.removeTarget(String(rule), String(targetId)),
  };
}

/**
 * The provider sends 0 for what is left out, and EventBridge refuses that as an age: hashicorp/terraform-provider-aws#38265.
 * https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_RetryPolicy.html
 */
function checkRetryPolicy(
  { maximumEventAgeInSeconds: age = 0, maximumRetryAttempts: attempts = 0 }: Properties,
  refuse: Refuse,
): void {
  if (!isIntegerWithin(age, 60, 86_400))
    refuse("retryPolicy.maximumEventAgeInSeconds", age, "an integer from 60 to 86400");
  if (!isIntegerWithin(attempts, 0, 185))
    refuse("retryPolicy.maximumRetryAttempts", attempts, "an integer from 0 to 185");
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
