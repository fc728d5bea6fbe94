import { randomUUID } from "node:crypto";
import { arn } from "../account";
import { EventSourceMapping } from "../lambda/eventSourceMapping";
import { checkEventSourceMapping, type EventSourceMappingSettings } from "../lambda/eventSourceMappingSettings";
import { AccessDenied, type Iam } from "../iam/iam";
import { roleCredentials } from "../iam/roles";
import type { Invoker } from "../lambda/invoker";
import type { Messaging } from "../messaging/messaging";
import type { Trace } from "../trace/trace";
import type { LocalResources, Properties } from "./resource";

export interface EventSourceMappingsOptions {
  messaging: Messaging;
  invoker: Invoker;
  /** The timeout of a function; throws where there is none of that ARN. */
  functionTimeoutSeconds: (functionArn: string) => number;
  /** The ARN of the role that a function runs as: the pollers use it too. */
  functionRoleArn: (functionArn: string) => string;
  /** Judges whether that role may poll. */
  iam: Iam;
  /** Divides the batching window. @default real time */
  timeScale?: number;
  log: (line: string) => void;
  trace: Trace;
}

/** The mappings of a local run. */
export class EventSourceMappings {
  private readonly mappings = new Map<string, EventSourceMapping>();

  constructor(private readonly options: EventSourceMappingsOptions) {}

  /** Resolves with the new mapping's id when its first poll is under way. */
  async create(queueArn: string, settings: EventSourceMappingSettings): Promise<string> {
    await this.check(queueArn, settings);
    const { messaging, functionRoleArn } = this.options;
    const queue = { url: messaging.queueUrl(queueArn), arn: queueArn };
    const { functionArn } = settings;
    const mapping = new EventSourceMapping({
      ...this.options,
      ...settings,
      queue,
      endpoint: messaging.endpoint,
      credentials: () => roleCredentials(functionRoleArn(functionArn), nameOf(functionArn)),
    });
    const id = randomUUID();
    this.mappings.set(id, mapping);
    await mapping.ready;
    return id;
  }

  async update(id: string, queueArn: string, settings: EventSourceMappingSettings): Promise<void> {
    await this.check(queueArn, settings);
    const mapping = this.mappings.get(id);
    if (!mapping) throw new Error(`ResourceNotFoundException: there is no event source mapping ${id}`);
    await mapping.update(settings);
  }

  async delete(id: string): Promise<void> {
    await this.mappings.get(id)?.stop();
    this.mappings.delete(id);
  }

  /** Ends all polling, and resolves when the invocations under way have ended. */
  async stop(): Promise<void> {
    await Promise.all([...this.mappings.keys()].map((id) => this.delete(id)));
  }

  private async check(queueArn: string, settings: EventSourceMappingSettings): Promise<void> {
    const { messaging, functionTimeoutSeconds } = this.options;
    if (!messaging.hasQueue(queueArn)) {
      throw new Error(`InvalidParameterValueException: the event source ${queueArn} does not exist, or is not a queue`);
    }
    checkEventSourceMapping(settings, {
      queueName: nameOf(queueArn),
      visibilityTimeoutSeconds: Number(messaging.queueAttributes(messaging.queueUrl(queueArn))["VisibilityTimeout"]),
      functionTimeoutSeconds: functionTimeoutSeconds(settings.functionArn),
    });
    for (const action of pollerActions) await this.checkPermission(action, queueArn, settings.functionArn);
  }

  /** https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html#events-sqs-permissions */
  private async checkPermission(action: string, queueArn: string, functionArn: string): Promise<void> {
    const { iam, messaging, functionRoleArn } = this.options;
    const principal = iam.functionPrincipal(functionRoleArn(functionArn), nameOf(functionArn));
    try {
      await iam.authorize(...messaging.accessTo(principal, action, queueArn));
    } catch (error) {
      if (!(error instanceof AccessDenied)) throw error;
      throw new Error(
        "InvalidParameterValueException: The provided execution role does not have permissions to call " +
          `${action} on SQS (${error.message})`,
        { cause: error },
      );
    }
  }
}

const pollerActions = ["ReceiveMessage", "DeleteMessage", "GetQueueAttributes"];

function nameOf(arn: string): string {
  return arn.slice(arn.lastIndexOf(":") + 1);
}

/** Event source mappings from queues. */
export function eventSourceMappingResources(mappings: EventSourceMappings): LocalResources {
  return {
    "aws:lambda/eventSourceMapping:EventSourceMapping": {
      replaceOnChanges: ["eventSourceArn"],
      async create({ inputs }) {
        const id = await mappings.create(eventSourceArn(inputs), settings(inputs));
        return { id, outputs: outputs(id, inputs) };
      },
      async update(id, { inputs }) {
        await mappings.update(id, eventSourceArn(inputs), settings(inputs));
        return outputs(id, inputs);
      },
      delete: (id) => mappings.delete(id),
    },
  };
}

function settings(inputs: Properties): EventSourceMappingSettings {
  const { maximumConcurrency } = (inputs["scalingConfig"] ?? {}) as { maximumConcurrency?: number };
  const { batchSize, maximumBatchingWindowInSeconds, functionResponseTypes, enabled } =
    inputs as Partial<EventSourceMappingSettings>;
  return {
    functionArn: functionArn(inputs),
    batchSize,
    maximumBatchingWindowInSeconds,
    functionResponseTypes,
    enabled,
    maximumConcurrency,
  };
}

function eventSourceArn(inputs: Properties): string {
  return String(inputs["eventSourceArn"]);
}

/** `functionName` is a function's name or its ARN. */
function functionArn(inputs: Properties): string {
  const functionName = String(inputs["functionName"]);
  return functionName.startsWith("arn:") ? functionName : arn("lambda", `function:${functionName}`);
}

function outputs(id: string, inputs: Properties): Properties {
  return {
    id,
    uuid: id,
    arn: arn("lambda", `event-source-mapping:${id}`),
    functionArn: functionArn(inputs),
    state: inputs["enabled"] === false ? "Disabled" : "Enabled",
  };
}
