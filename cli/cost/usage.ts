/** What is paid for. */
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

/** What is paid for in replay mode beside it. */
export interface ReplayUsage {
  /** Frames from clients that reach a function: resumes and acknowledgements. */
  clientFrames: number;
  historyWriteUnits: number;
  historyReadUnits: number;
  historyGbMonths: number;
  receipts: number;
  /** What topic and queue hand over, in GB; only where they are FIFO, whose price asks for it. */
  publishedGb: number;
}
