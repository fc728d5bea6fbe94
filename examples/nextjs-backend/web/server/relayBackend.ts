import { RelayBackend } from "pulumi-websocket-relay-backend";
import { setting } from "./setting";

let backend: RelayBackend | undefined;

/** Created with the first request: `next build` loads this module, without the environment of the deployment. */
export function relayBackend(): RelayBackend {
  return (backend ??= new RelayBackend({ topicArn: setting("TOPIC_ARN") }));
}
