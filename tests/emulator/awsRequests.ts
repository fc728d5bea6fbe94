import { Sha256 } from "@smithy/core/checksum";
import { SignatureV4 } from "@smithy/signature-v4";
import type { Properties } from "../../local/provision/resource";
import { region } from "../../local/account";
import { rootCredentials } from "./ministack";

/** Signed requests to services whose SDK clients this repository does not depend on, in the services' own protocols. */
export class AwsRequests {
  constructor(readonly endpoint: string) {}

  /** REST with JSON: Lambda, API Gateway. Undefined where the response has no body. */
  async rest(service: string, method: string, path: string, body?: unknown): Promise<Properties> {
    const headers: Record<string, string> = body === undefined ? {} : { "content-type": "application/json" };
    return parsed(await this.send(service, method, path, headers, body === undefined ? "" : JSON.stringify(body)));
  }

  /** JSON-RPC: CloudWatch Logs, EventBridge. `target` is `Service.Operation`. */
  async json(service: string, target: string, body: Properties): Promise<Properties> {
    const headers = { "content-type": "application/x-amz-json-1.1", "x-amz-target": target };
    return parsed(await this.send(service, "POST", "/", headers, JSON.stringify(body)));
  }

  /** Query: IAM. Resolves with the response's XML. */
  async query(service: string, version: string, action: string, parameters: Record<string, string>): Promise<string> {
    const body = new URLSearchParams({ Action: action, Version: version, ...parameters }).toString();
    return this.send(service, "POST", "/", { "content-type": "application/x-www-form-urlencoded" }, body);
  }

  /** @throws Error with the service's answer. */
  private async send(
    service: string,
    method: string,
    path: string,
    headers: Record<string, string>,
    body: string,
  ): Promise<string> {
    const url = new URL(path, this.endpoint);
    const signer = new SignatureV4({ service, region, credentials: rootCredentials, sha256: Sha256 });
    const signed = await signer.sign({
      method,
      protocol: url.protocol,
      hostname: url.hostname,
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      headers: { ...headers, host: url.host },
      body,
    });
    const response = await fetch(url, { method, headers: signed.headers, ...(body !== "" && { body }) });
    const text = await response.text();
    if (!response.ok) {
      throw new Error(`${service} ${method} ${path} ${headers["x-amz-target"] ?? ""}: ${response.status} ${text}`);
    }
    return text;
  }
}

function parsed(text: string): Properties {
  return text === "" ? {} : (JSON.parse(text) as Properties);
}
