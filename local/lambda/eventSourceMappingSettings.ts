/** The settings that can be changed in place, under AWS's names. */
export interface EventSourceMappingSettings {
  functionArn: string;
  /** The most records of an invocation. @default 10 */
  batchSize?: number;
  /** How long a batch may take to fill. @default it does not wait */
  maximumBatchingWindowInSeconds?: number;
  /** The most invocations at a time. @default 5, here */
  maximumConcurrency?: number;
  /** `ReportBatchItemFailures`, or nothing. @default an answer fails or succeeds as a whole */
  functionResponseTypes?: string[];
  /** @default true */
  enabled?: boolean;
}

/** The queue and the function that a mapping's settings are checked against. */
export interface EventSource {
  queueName: string;
  visibilityTimeoutSeconds: number;
  functionTimeoutSeconds: number;
}

/**
 * Refuses settings as Lambda does.
 * https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html
 *
 * @throws Error InvalidParameterValueException, naming the setting, what it got and what is allowed.
 */
export function checkEventSourceMapping(settings: EventSourceMappingSettings, source: EventSource): void {
  const {
    batchSize,
    maximumBatchingWindowInSeconds: window,
    maximumConcurrency,
    functionResponseTypes,
  } = effective(settings);
  const isFifo = source.queueName.endsWith(".fifo");
  const refuse = (text: string) => new Error(`InvalidParameterValueException: ${text} (queue ${source.queueName})`);
  const integer = (name: string, value: number, least: number, most: number) => {
    if (!Number.isInteger(value) || value < least || value > most) {
      throw refuse(`${name} must be an integer from ${least} to ${most}; got ${value}`);
    }
  };
  integer("batchSize", batchSize, 1, isFifo ? 10 : 10_000);
  integer("maximumBatchingWindowInSeconds", window, 0, 300);
  if (isFifo && window > 0) throw refuse(`maximumBatchingWindowInSeconds must be 0 for a FIFO queue; got ${window}`);
  if (batchSize > 10 && window < 1) {
    throw refuse(
      `maximumBatchingWindowInSeconds must be at least 1 with a batchSize above 10 (${batchSize}); got ${window}`,
    );
  }
  integer("scalingConfig.maximumConcurrency", maximumConcurrency, 2, 1000);
  const unknown = functionResponseTypes.find((type) => type !== reportBatchItemFailures);
  if (unknown !== undefined) {
    throw refuse(`functionResponseTypes must be [${reportBatchItemFailures}] or nothing; got ${unknown}`);
  }
  if (source.functionTimeoutSeconds > source.visibilityTimeoutSeconds) {
    throw refuse(
      `Queue visibility timeout: ${source.visibilityTimeoutSeconds} seconds is less than ` +
        `Function timeout: ${source.functionTimeoutSeconds} seconds`,
    );
  }
}

export function effective(settings: EventSourceMappingSettings): Required<EventSourceMappingSettings> {
  const { batchSize = 10, maximumBatchingWindowInSeconds = 0, maximumConcurrency = 5 } = settings;
  const { functionArn, functionResponseTypes = [], enabled = true } = settings;
  return { functionArn, batchSize, maximumBatchingWindowInSeconds, maximumConcurrency, functionResponseTypes, enabled };
}

export const reportBatchItemFailures = "ReportBatchItemFailures";
