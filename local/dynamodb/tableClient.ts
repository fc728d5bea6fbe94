import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { credentials, region } from "../account";
import type { Tables } from "./tables";

/**
 * A client that asks dynalite within this process: for provisioning, which no fault, trace or exclusive work concerns.
 */
export function tableClient(tables: Tables): DynamoDBClient {
  return new DynamoDBClient({
    region,
    credentials,
    // Of no consequence, but the SDK wants one.
    endpoint: "http://127.0.0.1",
    maxAttempts: 1,
    requestHandler: {
      handle: async ({ method, path, headers, body }: HandledRequest) => {
        // Not Buffer.from for both: the SDK warns of every string method on its bytes.
        const bytes = typeof body === "string" ? Buffer.from(body) : Buffer.concat(body ? [body] : []);
        const { status, ...answer } = await tables.ask({ method, url: path, headers }, bytes);
        return { response: { statusCode: status, headers: answer.headers, body: Buffer.from(answer.body) } };
      },
    } as never,
  });
}

/** What the SDK hands to the part of a client that would send it. */
interface HandledRequest {
  method: string;
  path: string;
  headers: Record<string, string>;
  body?: string | Uint8Array;
}
