import { expect } from "chai";
import { EventRules } from "../../../local/events/eventRules";
import { AccessDeniedError, type Invocation, type Invoker } from "../../../local/lambda/invoker";
import { eventRuleResources } from "../../../local/provision/eventRule";
import type { Properties } from "../../../local/provision/resource";
import { ratePeriodMs } from "../../../local/events/scheduleExpression";
import { refusal } from "../../support/refusal";
import { resourceOf } from "../provision/resourceOf";

const functionArn = "arn:aws:lambda:us-east-1:000000000000:function:sweep";
const everyMinute = { name: "sweep", scheduleExpression: "rate(1 minute)" };
const ruleArn = "arn:aws:events:us-east-1:000000000000:rule/sweep";

/** A minute takes 2 ms. */
const timeScale = 30_000;

const started: EventRules[] = [];
afterEach(() => started.splice(0).forEach((rules) => rules.stop()));

interface Invoked {
  functionArn: string;
  event: Properties;
  caller?: { principal: string; sourceArn: string };
}

/** Rules whose invocations a test waits for, and answers by `answer`. */
function start(answer: (invoked: Invoked) => Promise<Invocation> = () => Promise.resolve({ payload: null })) {
  const invoked: Invoked[] = [];
  const logs: string[] = [];
  let tell: () => void = () => undefined;
  const invoker: Invoker = {
    invoke: (functionArn, event, caller) => {
      const each = { functionArn, event: event as Properties, caller };
      invoked.push(each);
      tell();
      return answer(each);
    },
  };
  const log = (line: string) => {
    logs.push(line);
    tell();
  };
  const rules = new EventRules({ invoker, timeScale, log });
  started.push(rules);
  const until = async (isReached: () => boolean) => {
    while (!isReached()) await new Promise<void>((resolve) => (tell = resolve));
  };
  const resources = eventRuleResources(rules);
  const rule = resourceOf(resources, "aws:cloudwatch/eventRule:EventRule");
  const target = resourceOf(resources, "aws:cloudwatch/eventTarget:EventTarget");
  const createRule = (inputs: Properties = {}) => rule.create({ name: "rule", inputs: { ...everyMinute, ...inputs } });
  const createTarget = (inputs: Properties = {}) =>
    target.create({ name: "target", inputs: { rule: "sweep", arn: functionArn, ...inputs } });
  return { rules, rule, target, createRule, createTarget, invoked, logs, until };
}

describe("a scheduled rule", () => {
  it("invokes its function again and again with EventBridge's event, in its own name", async () => {
    const { createRule, createTarget, invoked, until } = start();
    await createRule();
    await createTarget();
    await until(() => invoked.length >= 3);
    const [first, second] = invoked;
    const { id, time, ...event } = first?.event ?? {};
    expect(first).to.include({ functionArn });
    expect(first?.caller).to.deep.equal({ principal: "events.amazonaws.com", sourceArn: ruleArn });
    expect(event).to.deep.equal({
      version: "0",
      "detail-type": "Scheduled Event",
      source: "aws.events",
      account: "000000000000",
      region: "us-east-1",
      resources: [ruleArn],
      detail: {},
    });
    expect(time).to.match(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect(id).not.to.equal(second?.event.id);
  });

  it("does not wait for the run before, as on AWS", async () => {
    const { createRule, createTarget, invoked, until } = start(() => new Promise(() => undefined));
    await createRule();
    await createTarget();
    await until(() => invoked.length >= 2);
  });

  it("sends what its target gives as input", async () => {
    const { createRule, createTarget, invoked, until } = start();
    await createRule();
    await createTarget({ input: '{"shard":3}' });
    await until(() => invoked.length >= 1);
    expect(invoked[0]?.event).to.deep.equal({ shard: 3 });
  });

  it("invokes every target it has, and a target no more once that is deleted", async () => {
    const { createRule, createTarget, target, invoked, until } = start();
    await createRule();
    const { id, outputs } = await createTarget();
    const other = functionArn.replace("sweep", "other");
    await createTarget({ arn: other });
    await until(() => invoked.length >= 2);
    expect(new Set(invoked.map((each) => each.functionArn))).to.deep.equal(new Set([functionArn, other]));
    await target.delete(id, { rule: "sweep", ...outputs });
    invoked.length = 0;
    await until(() => invoked.length >= 2);
    expect(invoked.map((each) => each.functionArn)).not.to.include(functionArn);
  });

  for (const [what, disabled, enabled] of [
    ["isEnabled", { isEnabled: false }, { isEnabled: true }],
    ["state", { state: "DISABLED" }, { state: "ENABLED" }],
  ] as const) {
    it(`runs only while it is enabled by ${what}`, async () => {
      const { createRule, createTarget, rule, invoked, until } = start();
      await createRule(disabled);
      await createTarget();
      // Another rule's runs pass meanwhile.
      await createRule({ name: "clock" });
      await createTarget({ rule: "clock", input: '"tick"' });
      await until(() => invoked.length >= 3);
      expect(new Set(invoked.map(({ event }) => event))).to.deep.equal(new Set(["tick"]));
      await rule.update("sweep", { name: "rule", inputs: { ...everyMinute, ...enabled } }, {});
      await until(() => invoked.some(({ caller }) => caller?.sourceArn === ruleArn));
    });
  }

  it("stops when it is deleted, and when the run closes", async () => {
    const { createRule, createTarget, rule, rules, invoked, until } = start();
    await createRule({ forceDestroy: true });
    await createTarget();
    await createRule({ name: "clock" });
    await createTarget({ rule: "clock", input: '"tick"' });
    await rule.delete("sweep", { forceDestroy: true });
    invoked.length = 0;
    await until(() => invoked.length >= 3);
    expect(new Set(invoked.map(({ event }) => event))).to.deep.equal(new Set(["tick"]));
    rules.stop();
    expect(rules.has("clock")).to.equal(false);
  });

  it("runs at once on demand, even while it is disabled, and is done when every invocation has ended", async () => {
    const ended: (() => void)[] = [];
    const { rules, createRule, createTarget, invoked, logs } = start(
      () => new Promise((resolve) => ended.push(() => resolve({ payload: null }))),
    );
    await createRule({ isEnabled: false });
    await createTarget({ input: '{"shard":0}' });
    await createTarget({ input: '{"shard":1}' });
    let isDone = false;
    const run = rules.run("sweep").then(() => (isDone = true));
    expect(invoked.map(({ event }) => event)).to.have.deep.members([{ shard: 0 }, { shard: 1 }]);
    ended[0]?.();
    await new Promise(setImmediate);
    expect(isDone).to.equal(false);
    ended[1]?.();
    await run;
    expect(logs).to.deep.equal([]);
  });

  it("logs that a permission is missing, with both ARNs, and goes on", async () => {
    const denied = new AccessDeniedError("no permission of the function has this principal");
    const { createRule, createTarget, logs, until } = start(() => Promise.reject(denied));
    await createRule();
    await createTarget();
    await until(() => logs.length >= 2);
    expect(logs[0]).to.equal(`rule sweep: the invocation of ${functionArn} failed: ${denied.message}`);
  });

  it("logs that the function failed", async () => {
    const payload = { errorType: "TypeError", errorMessage: "x is undefined" };
    const { createRule, createTarget, logs, until } = start(() =>
      Promise.resolve({ functionError: "Unhandled", payload }),
    );
    await createRule();
    await createTarget();
    await until(() => logs.length >= 1);
    expect(logs[0]).to.include("TypeError: x is undefined");
  });

  it("has the outputs of the aws provider", async () => {
    const { createRule, createTarget } = start();
    expect(await createRule()).to.deep.equal({
      id: "sweep",
      outputs: { id: "sweep", name: "sweep", arn: ruleArn, eventBusName: "default" },
    });
    const { id, outputs } = await createTarget();
    expect(outputs.targetId).to.match(/^target-[0-9a-f]{7}$/);
    expect(id).to.equal(`sweep-${String(outputs.targetId)}`);
    expect((await createRule({ name: undefined })).id).to.match(/^rule-[0-9a-f]{7}$/);
  });

  const refusedRules: [what: string, inputs: Properties, message: string][] = [
    ["a cron expression", { scheduleExpression: "cron(0 12 * * ? *)" }, "scheduleExpression"],
    ["no schedule", { scheduleExpression: undefined }, "scheduleExpression"],
    ["another bus", { eventBusName: "mine" }, "eventBusName"],
    ["both isEnabled and state", { isEnabled: true, state: "ENABLED" }, "state"],
    ["an unknown state", { state: "ON" }, "ENABLED or DISABLED"],
    ["a name of other characters", { name: "a b" }, "name"],
  ];
  for (const [what, inputs, message] of refusedRules) {
    it(`is refused with ${what}`, async () => {
      expect((await refusal(start().createRule(inputs))).message).to.include(message);
    });
  }

  const refusedTargets: [what: string, inputs: Properties, message: string][] = [
    ["of a rule that does not exist", { rule: "none" }, "Rule none does not exist"],
    ["that is no function", { arn: "arn:aws:sqs:us-east-1:000000000000:queue" }, "a function's ARN"],
    ["with input that is no JSON", { input: "{" }, "input"],
    [
      "with a retry policy without an age, for which the provider sends 0",
      { retryPolicy: { maximumRetryAttempts: 0 } },
      "retryPolicy.maximumEventAgeInSeconds",
    ],
    [
      "with more than 185 retries",
      { retryPolicy: { maximumEventAgeInSeconds: 60, maximumRetryAttempts: 186 } },
      "retryPolicy.maximumRetryAttempts",
    ],
  ];
  for (const [what, inputs, message] of refusedTargets) {
    it(`is refused a target ${what}`, async () => {
      const { createRule, createTarget } = start();
      await createRule();
      expect((await refusal(createTarget(inputs))).message).to.include(message);
    });
  }

  it("is not deleted while it has targets", async () => {
    const { createRule, createTarget, rule } = start();
    await createRule();
    await createTarget();
    expect((await refusal(rule.delete("sweep", everyMinute))).message).to.include("since it has targets");
  });
});

describe("a rate expression", () => {
  const allowed: [expression: string, ms: number][] = [
    ["rate(1 minute)", 60_000],
    ["rate(5 minutes)", 300_000],
    ["rate(1 hour)", 3_600_000],
    ["rate(12 hours)", 43_200_000],
    ["rate(1 day)", 86_400_000],
    ["rate(30 days)", 2_592_000_000],
  ];
  for (const [expression, ms] of allowed) {
    it(`${expression} is ${ms} ms`, () => expect(ratePeriodMs(expression)).to.equal(ms));
  }
  const refused = [
    "rate(1 minutes)",
    "rate(5 minute)",
    "rate(0 minutes)",
    "rate(-1 minutes)",
    "rate(1.5 hours)",
    "rate(30 seconds)",
    "rate(1  minute)",
    "rate (1 minute)",
    "1 minute",
    "rate(1 minute) ",
    "",
  ];
  for (const expression of refused) {
    it(`is not ${JSON.stringify(expression)}`, () => expect(ratePeriodMs(expression)).to.equal(undefined));
  }
});
