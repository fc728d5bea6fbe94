import type { Environment } from "../environment";

/** Whether clients without the relay's subprotocol are served, by `RAW_CLIENTS`: the component sets it only where they are not. */
export function servesRawClients(environment: Environment): boolean {
  return environment.RAW_CLIENTS !== "false";
}
