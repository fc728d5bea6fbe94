/** The billed quantities of a month. */
export interface Usage {
  deliveries: number;
  pings: number;
  connectionMinutes: number;
  publishes: number;
  queueRequests: number;
  idlePolls: number;
  invocations: number;
  gbSeconds: number;
  writeUnits: number;
  readUnits: number;
  logGb: number;
  /** Only in replay mode. */
  replay?: ReplayUsage;
}

/** The billed quantities that only replay mode has. */
export interface ReplayUsage {
  /** Frames from clients that reach a function: resumes and acknowledgements. */
  clientFrames: number;
  historyWriteUnits: number;
  historyReadUnits: number;
  historyGbMonths: number;
  receipts: number;
  /** To the queue of flush requests, which raw clients cause. */
  flushRequests: number;
  /** 0 if raw clients may not connect. */
  flushIdlePolls: number;
  /** To the HTTP API, in increments of a response's size. */
  httpRequests: number;
  /** GB published; 0 unless topic and queue are FIFO, which are billed by the GB. */
  publishedGb: number;
}
