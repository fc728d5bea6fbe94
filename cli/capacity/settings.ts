import { spec } from "../../components/args/spec";
import { HEADROOM } from "./assumed";
import type { Load } from "./load";
import { gatewayRequestsOf, LIMITS } from "./quotas";

interface Limits {
  rate: number;
  burst: number;
}

type Route = "connect" | "resume" | "acknowledge" | "ping" | "httpRead";

export type SettingKey = `${Route}Throttling${"Rate" | "Burst"}Limit` | "maximumConcurrency";

/** An argument of the relay, and the value that a load needs. */
export interface Setting {
  key: SettingKey;
  /** The load itself, without headroom. */
  load: number;
  /** Without the argument, where the arguments before it are set. */
  byDefault: number;
  /** Equal to `byDefault` if that is enough. */
  value: number;
  /** How `load` becomes `value`. */
  formula: string;
}

/** The arguments of a relay with the values that the load needs, in the order in which defaults follow one another. */
export function settingsOf(load: Load, region: string, delivery: "retry" | "replay"): Setting[] {
  const { burst: highestBurst } = gatewayRequestsOf(region);
  const shared = { rate: spec.throttlingRateLimit.default, burst: spec.throttlingBurstLimit.default };
  const settings: Setting[] = [];
  const add = (
    key: SettingKey,
    at: number,
    headroom: number,
    byDefault: number,
    formula: string,
    highest = Infinity,
  ) => {
    const value = Math.min(Math.max(byDefault, roundedUp(at * headroom)), highest, spec[key].max);
    settings.push({ key, load: at, byDefault, value, formula });
    return value;
  };
  const addRoute = (route: Route, perSecond: number, what: string, byDefault: Limits, headroom: number = HEADROOM) => {
    const formula = headroom === 1 ? what : `${what} x ${headroom}`;
    const burstFormula = `a second of them, ${highestBurst.toLocaleString("en-US")} at most`;
    return {
      rate: add(`${route}ThrottlingRateLimit`, perSecond, headroom, byDefault.rate, formula),
      burst: add(`${route}ThrottlingBurstLimit`, perSecond, headroom, byDefault.burst, burstFormula, highestBurst),
    };
  };

  // No headroom: the account's quota of new connections is sized for the reconnect, too, and a higher limit would have no effect.
  const connect = addRoute("connect", load.handshakes, "clients / reconnect seconds", shared, 1);
  addRoute("ping", load.heartbeats, "clients / heartbeat seconds", {
    rate: spec.pingThrottlingRateLimit.default,
    burst: spec.pingThrottlingBurstLimit.default,
  });
  if (delivery === "replay") {
    const followed = { rate: Math.max(shared.rate, connect.rate), burst: Math.max(shared.burst, connect.burst) };
    addRoute("resume", load.resumes, "a resume for each handshake", followed, 1);
    addRoute("acknowledge", load.acknowledgements, "acknowledgements", shared);
    // Without the HTTP API, its limits are refused.
    if (load.httpReads > 0) addRoute("httpRead", load.httpReads, "requests to the HTTP API", shared);
  }
  const { default: concurrency } = spec.maximumConcurrency;
  const highest = LIMITS.maximumConcurrency.toLocaleString("en-US");
  const formula = `attempts / batch size x seconds of deliver x ${HEADROOM}, ${highest} at most`;
  add("maximumConcurrency", load.concurrency.deliver, HEADROOM, concurrency, formula);
  return settings;
}

/** Up to the next number with two digits that are not zero: more would look exact. */
export function roundedUp(value: number): number {
  const unit = 10 ** Math.max(0, Math.ceil(Math.log10(Math.max(1, value))) - 2);
  return Math.ceil(value / unit) * unit;
}
