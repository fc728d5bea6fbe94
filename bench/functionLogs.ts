import type { LocalMetrics } from "../local/cloudwatch/metrics";
import { billedBytes, type LogBytes } from "./logLines";

/** Counts the lines that the functions of a local run write, as CloudWatch would bill them. */
export class FunctionLogs {
  private counted: Record<string, LogBytes> = {};
  private written: string | undefined;

  /** A local run shows each line to its metrics before it logs it, shortened, with the function's name. */
  watch(metrics: LocalMetrics): void {
    const take = metrics.take.bind(metrics);
    metrics.take = (line) => {
      this.written = line;
      return take(line);
    };
  }

  /** A line of the local run's own log. */
  logged(line: string): void {
    const { written } = this;
    this.written = undefined;
    const name = /^(\S+): /.exec(line)?.[1];
    if (written === undefined || name === undefined) return;
    const of = (this.counted[name] ??= { lines: 0, bytes: 0 });
    of.lines += 1;
    of.bytes += billedBytes(written);
  }

  /** The lines since the last call, by the function's name. */
  taken(): Record<string, LogBytes> {
    const { counted } = this;
    this.counted = {};
    return counted;
  }
}
