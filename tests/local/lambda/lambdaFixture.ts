import { EventEmitter, once } from "node:events";
import type net from "node:net";
import { type AddressInfo } from "node:net";
import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { Iam } from "../../../local/iam/iam";
import { roleArn } from "../../../local/iam/roles";
import { type Invocation } from "../../../local/lambda/invoker";
import { LambdaService, type LambdaServiceOptions } from "../../../local/lambda/lambdaService";
import type { FunctionConfiguration } from "../../../local/lambda/localFunction";
import { everything, registerRole } from "../iam/roles";
import { afterTest } from "../../support/afterTest";

export function start(options: Partial<LambdaServiceOptions> = {}): LambdaService {
  const iam = new Iam();
  registerRole(iam, "r", everything);
  const service = new LambdaService({ environment: () => ({}), log: () => undefined, iam, ...options });
  afterTest(() => service.close());
  return service;
}

/** A service with one function, "f"; `body` is what its index.js holds. */
export async function serve(body: string, settings: Partial<FunctionConfiguration & LambdaServiceOptions> = {}) {
  const service = start(settings);
  await service.putFunction(lambdaFunction(body, settings));
  return service;
}

export async function listen<T extends net.Server>(server: T): Promise<{ server: T; port: number }> {
  afterTest(() => server.close());
  await once(server.listen(0, "127.0.0.1"), "listening");
  return { server, port: (server.address() as AddressInfo).port };
}

/** A handler that asks the server at `port`, and returns `result` when it has answered. */
export function callingBack(port: number, result = "null"): string {
  return `exports.handler = () => new Promise((resolve) =>
    require("http").get("http://127.0.0.1:${port}", (response) => response.resume().on("end", () => resolve(${result}))));`;
}

export function lambdaFunction(body: string, changes: Partial<FunctionConfiguration> = {}): FunctionConfiguration {
  return {
    name: "f",
    roleArn: roleArn("r"),
    code: new pulumi.asset.AssetArchive({ "index.js": new pulumi.asset.StringAsset(body) }),
    handler: "index.handler",
    runtime: "nodejs24.x",
    timeoutSeconds: 3,
    memorySizeMb: 128,
    variables: {},
    ...changes,
  };
}

export function failed(errorType: string, errorMessage: string): Invocation {
  return { functionError: "Unhandled", payload: { errorType, errorMessage } };
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- what the test's own handler returned
export async function payload(invocation: Promise<Invocation>): Promise<any> {
  const result = await invocation;
  expect(result.functionError, JSON.stringify(result)).to.equal(undefined);
  return result.payload;
}

export async function error(invocation: Promise<Invocation>): Promise<{ errorType: string; errorMessage: string }> {
  const result = await invocation;
  if (!result.functionError) {
    throw new Error(`expected a function error, got ${JSON.stringify(result)}`);
  }
  return result.payload;
}

/** Resolves when the first connection to `server` has ended, as it does with the process that made it. */
export async function connectionEnd(server: net.Server): Promise<void> {
  const [socket] = (await once(server, "connection")) as [net.Socket];
  await closed(socket);
}

export async function closed(socket: net.Socket): Promise<void> {
  // A killed peer may reset the connection; "close" follows either way.
  socket.on("error", () => undefined).resume();
  await new Promise((resolve) => socket.once("close", resolve));
}

export function untilCount(emitter: EventEmitter, event: string, count: number): Promise<void> {
  let left = count;
  return new Promise((resolve) => emitter.on(event, () => --left === 0 && resolve()));
}

export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

export function logLines() {
  const all: string[] = [];
  const emitter = new EventEmitter();
  return {
    all,
    log: (line: string) => {
      all.push(line);
      emitter.emit("line");
    },
    async matching(pattern: RegExp): Promise<string> {
      for (;;) {
        const found = all.find((line) => pattern.test(line));
        if (found !== undefined) return found;
        await once(emitter, "line");
      }
    },
  };
}
