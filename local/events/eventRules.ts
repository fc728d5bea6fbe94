import { randomUUID } from "node:crypto";
import { account, arn, region } from "../account";
import type { Invoker } from "../lambda/invoker";

export interface EventRulesOptions {
  invoker: Invoker;
  /** Divides the rules' periods. @default real time */
  timeScale?: number;
  /** Receives failures that are reported nowhere else: which target could not be invoked, or failed, and why. */
  log: (line: string) => void;
}

/** A function that a rule invokes, and its input. */
export interface RuleTarget {
  functionArn: string;
  /** JSON. @default the scheduled event */
  input?: string;
}

interface Rule {
  periodMs: number;
  enabled: boolean;
  targets: Map<string, RuleTarget>;
  timer?: NodeJS.Timeout;
}

/**
 * EventBridge's scheduled rules: each invokes its targets once a period, first when one period has passed. A run does not
 * wait for the one before. Not as on AWS: an invocation that fails is logged and not tried again.
 */
export class EventRules {
  private readonly rules = new Map<string, Rule>();

  constructor(private readonly options: EventRulesOptions) {}

  has(name: string): boolean {
    return this.rules.has(name);
  }

  /** Creates a rule, or changes it; a rule that is enabled again, or has another period, starts over. */
  put(name: string, { periodMs, enabled }: Pick<Rule, "periodMs" | "enabled">): void {
    const before = this.rules.get(name);
    if (before?.periodMs === periodMs && before.enabled === enabled) return;
    clearInterval(before?.timer);
    const rule: Rule = { periodMs, enabled, targets: before?.targets ?? new Map<string, RuleTarget>() };
    const scaledMs = periodMs / (this.options.timeScale ?? 1);
    // Node's timers end at 2^31 ms: a period of more than 24 days never ends in a local run.
    if (enabled && scaledMs < 2 ** 31) rule.timer = setInterval(() => void this.run(name), scaledMs).unref();
    this.rules.set(name, rule);
  }

  delete(name: string): void {
    clearInterval(this.rules.get(name)?.timer);
    this.rules.delete(name);
  }

  /** Also of the disabled rules. */
  names(): string[] {
    return [...this.rules.keys()];
  }

  targetIds(name: string): string[] {
    return [...(this.rules.get(name)?.targets.keys() ?? [])];
  }

  putTarget(name: string, id: string, target: RuleTarget): void {
    this.rules.get(name)?.targets.set(id, target);
  }

  removeTarget(name: string, id: string): void {
    this.rules.get(name)?.targets.delete(id);
  }

  /** Ends every timer. Running invocations end with the functions. */
  stop(): void {
    for (const name of this.rules.keys()) this.delete(name);
  }

  /** Invokes a rule's targets at once, also a disabled rule's. Resolves when every invocation has ended. */
  async run(name: string): Promise<void> {
    const targets = [...(this.rules.get(name)?.targets.values() ?? [])];
    await Promise.all(targets.map((target) => this.invoke(name, target)));
  }

  private async invoke(name: string, { functionArn, input }: RuleTarget): Promise<void> {
    const ruleArn = ruleArnOf(name);
    const event: unknown = input === undefined ? scheduledEvent(ruleArn) : JSON.parse(input);
    try {
      const caller = { principal: "events.amazonaws.com", sourceArn: ruleArn };
      const { functionError, payload } = await this.options.invoker.invoke(functionArn, event, caller);
      if (functionError) throw new Error(`${payload.errorType}: ${payload.errorMessage}`);
    } catch (error) {
      this.options.log(`rule ${name}: the invocation of ${functionArn} failed: ${(error as Error).message}`);
    }
  }
}

export function ruleArnOf(name: string): string {
  return arn("events", `rule/${name}`);
}

/** https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html */
function scheduledEvent(ruleArn: string) {
  return {
    version: "0",
    id: randomUUID(),
    "detail-type": "Scheduled Event",
    source: "aws.events",
    account,
    // To the second.
    time: new Date().toISOString().replace(/\.\d+Z$/, "Z"),
    region,
    resources: [ruleArn],
    detail: {},
  };
}
