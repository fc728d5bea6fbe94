// The program of one execution environment: what Lambda's Node.js runtime does around a handler. Plain JavaScript,
// because the Node that runs it may be another one than ours (the deployed 24), and has no ts-node.
//
// In:  { event, context: { …, deadlineMs }, crash } for an invocation; one at a time.
// Out: { type: "ready" } once, then one { type: "result", payload } each; or { type: "error", errorType, errorMessage },
// which is "fatal" if this process cannot be used again.
"use strict";

const diagnosticsChannel = require("node:diagnostics_channel");
const fs = require("node:fs");
const path = require("node:path");
const url = require("node:url");
const util = require("node:util");

const levels = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];

let requestId;

patchConsole();

// The parent has gone without ending this process, so this process removes the folder.
const taskRoot = process.env.LAMBDA_TASK_ROOT;
process.on("disconnect", () => {
  try {
    fs.rmSync(taskRoot, { recursive: true, force: true });
  } finally {
    process.exit();
  }
});
// Ctrl-C in a terminal reaches every process of the group: invocations end when the parent ends them.
process.on("SIGINT", () => undefined);
process.on("uncaughtException", (error) => fail(error));
process.on("unhandledRejection", (reason) => fail(reason, "Runtime.UnhandledPromiseRejection"));

loadHandler().then(
  (handler) => {
    process.on("message", (invocation) => void run(handler, invocation));
    process.send({ type: "ready" });
  },
  (error) => fail(error),
);

async function loadHandler() {
  const [, modulePath, exportPath] = /^((?:.*\/)?[^.]*)\.(.*)$/.exec(process.env._HANDLER) ?? [];
  if (modulePath === undefined) {
    throw runtimeError("Runtime.MalformedHandlerName", "Bad handler");
  }
  const loaded = await loadModule(modulePath);
  const handler = exportPath.split(".").reduce((value, key) => value?.[key], loaded);
  if (handler === undefined) {
    throw runtimeError("Runtime.HandlerNotFound", `${process.env._HANDLER} is undefined or not exported`);
  }
  if (typeof handler !== "function") {
    throw runtimeError("Runtime.HandlerNotFound", `${process.env._HANDLER} is not a function`);
  }
  // Refused here for every runtime, although Lambda does so only from Node 24 on: callbacks are not modelled.
  if (handler.length >= 3) {
    throw runtimeError(
      "Runtime.CallbackHandlerDeprecated",
      "AWS Lambda has removed support for callback-based function handlers starting with Node.js 24: " +
        `${process.env._HANDLER} takes ${handler.length} parameters, and at most two (event, context) are allowed.`,
    );
  }
  return handler;
}

async function loadModule(modulePath) {
  const base = path.resolve(process.env.LAMBDA_TASK_ROOT, modulePath);
  const file = [".js", ".mjs", ".cjs"].map((extension) => base + extension).find((name) => fs.existsSync(name));
  if (file === undefined) {
    throw runtimeError("Runtime.ImportModuleError", `Error: Cannot find module '${modulePath}'`);
  }
  try {
    return file.endsWith(".mjs") ? await import(url.pathToFileURL(file).href) : require(file);
  } catch (error) {
    if (error instanceof SyntaxError) {
      throw runtimeError("Runtime.UserCodeSyntaxError", `SyntaxError: ${error.message}`);
    }
    if (error?.code === "MODULE_NOT_FOUND" || error?.code === "ERR_MODULE_NOT_FOUND") {
      throw runtimeError("Runtime.ImportModuleError", `Error: ${error.message}`);
    }
    throw error;
  }
}

async function run(handler, { event, context: { deadlineMs, ...context }, crash }) {
  requestId = context.awsRequestId;
  if (crash) {
    crashAtFirstAnswer();
  }
  try {
    const result = await handler(event, { ...context, getRemainingTimeInMillis: () => deadlineMs - Date.now() });
    if (crash) {
      await die();
    }
    // Stringified here, so that an unserializable result is this invocation's error.
    process.send({ type: "result", payload: JSON.stringify(result) ?? "null" });
  } catch (error) {
    if (crash) {
      await die();
    }
    console.error(error);
    process.send({ type: "error", ...describe(error) });
  }
}

// The handler is in the middle of its work when the first answer to a request of its own arrives. One that asks for
// nothing dies when it is about to return.
function crashAtFirstAnswer() {
  diagnosticsChannel.subscribe("http.client.response.finish", die);
  diagnosticsChannel.subscribe("undici:request:headers", die);
}

function die() {
  process.kill(process.pid, "SIGKILL");
  return new Promise(() => undefined);
}

function fail(error, errorType = describe(error).errorType) {
  console.error(error);
  process.send({ type: "fatal", ...describe(error), errorType });
}

function describe(error) {
  return error instanceof Error
    ? { errorType: error.name, errorMessage: error.message }
    : { errorType: typeof error, errorMessage: String(error) };
}

function runtimeError(name, message) {
  return Object.assign(new Error(message), { name });
}

function patchConsole() {
  const format = process.env.AWS_LAMBDA_LOG_FORMAT === "JSON" ? jsonLine : textLine;
  const lowest = Math.max(0, levels.indexOf(process.env.AWS_LAMBDA_LOG_LEVEL));
  const methods = { trace: "TRACE", debug: "DEBUG", log: "INFO", info: "INFO", warn: "WARN", error: "ERROR" };
  for (const [method, level] of Object.entries(methods)) {
    console[method] =
      levels.indexOf(level) < lowest ? () => undefined : (...args) => process.stdout.write(`${format(level, args)}\n`);
  }
}

function textLine(level, args) {
  return [new Date().toISOString(), requestId, level, util.format(...args)].join("\t");
}

function jsonLine(level, args) {
  const record = { timestamp: new Date().toISOString(), level, requestId };
  if (args.length === 1) {
    try {
      return JSON.stringify({ ...record, message: args[0] }, errorsAsObjects);
    } catch {
      // A cycle or a BigInt: as text, like several arguments.
    }
  }
  const error = args.find((arg) => arg instanceof Error);
  return JSON.stringify({ ...record, message: util.format(...args), ...(error && errorsAsObjects("", error)) });
}

function errorsAsObjects(_key, value) {
  if (!(value instanceof Error)) {
    return value;
  }
  return { ...value, errorType: value.name, errorMessage: value.message, stackTrace: value.stack?.split("\n") };
}
