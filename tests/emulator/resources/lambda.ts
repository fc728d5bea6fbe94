import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { partition, region } from "../../../local/account";
import { unpackArchive } from "../../../local/lambda/archive";
import { autoname } from "../../../local/provision/autoname";
import type { AwsRequests } from "../awsRequests";
import { type EmulatedResources, inPascalCase, without } from "./resource";

const opaque = ["variables", "tags"];
const functions = "/2015-03-31/functions";

/**
 * https://docs.aws.amazon.com/lambda/latest/api/API_Operations.html
 *
 * @param python Makes the archives.
 */
export function lambdaResources(aws: AwsRequests, python: string): EmulatedResources {
  const rest = (method: string, path: string, body?: unknown) => aws.rest("lambda", method, path, body);

  return {
    "aws:lambda/function:Function": {
      async create(logicalName, inputs) {
        const name = (inputs.name as string | undefined) ?? autoname(logicalName);
        const { reservedConcurrentExecutions } = inputs;
        const { FunctionArn } = await rest("POST", functions, {
          ...inPascalCase(without(inputs, "name", "code", "reservedConcurrentExecutions"), opaque),
          FunctionName: name,
          Code: { ZipFile: (await zipped(inputs.code, python)).toString("base64") },
        });
        const arn = FunctionArn as string;
        if (reservedConcurrentExecutions !== undefined) {
          await rest("PUT", `/2017-10-31/functions/${name}/concurrency`, {
            ReservedConcurrentExecutions: reservedConcurrentExecutions,
          });
        }
        const invokeArn = `arn:${partition}:apigateway:${region}:lambda:path${functions}/${arn}/invocations`;
        return { id: name, outputs: { name, arn, invokeArn } };
      },
      async delete(id) {
        await rest("DELETE", `${functions}/${id}`);
      },
    },
    "aws:lambda/permission:Permission": {
      async create(_, { function: functionName, ...inputs }) {
        const statementId = (inputs.statementId as string | undefined) ?? randomUUID();
        await rest("POST", `${functions}/${functionName as string}/policy`, inPascalCase({ ...inputs, statementId }));
        return { id: statementId, outputs: { statementId } };
      },
      async delete(id, { function: functionName }) {
        await rest("DELETE", `${functions}/${functionName as string}/policy/${id}`);
      },
    },
    "aws:lambda/eventSourceMapping:EventSourceMapping": {
      async create(_, inputs) {
        const { UUID } = await rest("POST", "/2015-03-31/event-source-mappings", inPascalCase(inputs, opaque));
        return { id: UUID as string, outputs: { uuid: UUID } };
      },
      async delete(id) {
        await rest("DELETE", `/2015-03-31/event-source-mappings/${id}`);
      },
    },
    "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": {
      async create(_, { functionName, ...inputs }) {
        const path = `/2019-09-25/functions/${functionName as string}/event-invoke-config`;
        await rest("PUT", path, inPascalCase(inputs));
        return { id: functionName as string, outputs: {} };
      },
      async delete(id) {
        await rest("DELETE", `/2019-09-25/functions/${id}/event-invoke-config`);
      },
    },
  };
}

async function zipped(archive: unknown, python: string): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), "emulator-code-"));
  try {
    await unpackArchive(archive, folder);
    const files = await readdir(folder);
    await promisify(execFile)(python, ["-m", "zipfile", "-c", "code.zip", ...files], { cwd: folder });
    return await readFile(join(folder, "code.zip"));
  } finally {
    await rm(folder, { recursive: true });
  }
}
