import { type Environment, refuseVariable, text } from "../environment";
import type { Connections } from "./sessionRow";

/** Which connections of a session get its messages: the variable `CONNECTIONS`. */
export function connectionsSetting(environment: Environment): Connections {
  const value = text(environment, "CONNECTIONS");
  if (value !== "newest" && value !== "all") refuseVariable("CONNECTIONS", value, "newest or all");
  return value;
}
