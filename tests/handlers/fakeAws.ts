import { createHash } from "node:crypto";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { afterTest } from "../support/afterTest";

const variables = { AWS_REGION: "eu-west-1", AWS_ACCESS_KEY_ID: "x", AWS_SECRET_ACCESS_KEY: "x" };

/**
 * A server that the SDK's clients call instead of AWS until the test ends: for handlers that make their clients themselves.
 * Every table is empty, and every other call succeeds. `calls` has each call with the table, the topic or the path that it
 * names. Until then, logs and metrics are not printed.
 */
export async function fakeAws(): Promise<{ url: string; calls: string[] }> {
  const calls: string[] = [];
  const server = createServer((request, response) => {
    void textOf(request).then((text) => {
      const { call, answer } = answerTo(request, text);
      calls.push(call);
      response.end(answer);
    });
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { info, warn, error } = console;
  Object.assign(console, { info: ignore, warn: ignore, error: ignore });
  // Metrics bypass the console.
  const { stdout } = process;
  const write = stdout.write.bind(stdout) as (...args: unknown[]) => boolean;
  stdout.write = (...args: unknown[]) => String(args[0]).startsWith('{"_aws"') || write(...args);
  const given = { ...process.env };
  Object.assign(process.env, variables, { AWS_ENDPOINT_URL: url });
  afterTest(() => {
    process.env = given;
    Object.assign(console, { info, warn, error });
    stdout.write = write;
    server.closeAllConnections();
    server.close();
  });
  return { url, calls };
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request) text += String(chunk);
  return text;
}

function answerTo({ method, url, headers }: IncomingMessage, text: string): { call: string; answer: string } {
  const target = headers["x-amz-target"];
  if (typeof target === "string") {
    const input = JSON.parse(text) as { RequestItems?: object; MessageBody?: string } & Partial<
      Record<"TableName" | "IndexName" | "QueueUrl", string>
    >;
    const { TableName, IndexName, RequestItems = {}, QueueUrl, MessageBody } = input;
    const path = QueueUrl && new URL(QueueUrl).pathname;
    const named = [TableName, IndexName, ...Object.keys(RequestItems), path].filter(Boolean).join(" ");
    // The SDK compares it with what it has sent.
    const MD5OfMessageBody = MessageBody && createHash("md5").update(MessageBody).digest("hex");
    return { call: `${target.split(".")[1]} ${named}`, answer: JSON.stringify({ MD5OfMessageBody }) };
  }
  const fields = new URLSearchParams(text);
  const action = fields.get("Action");
  if (action === null) return { call: `${method} ${url}`, answer: "" };
  const answer = `<${action}Response><${action}Result><Failed/></${action}Result></${action}Response>`;
  return { call: `${action} ${fields.get("TopicArn")}`, answer };
}

function ignore(): void {
  // Handlers log, and tests of their logs pass a log of their own.
}
