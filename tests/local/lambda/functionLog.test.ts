import { expect } from "chai";
import { logLines, payload, serve } from "./lambdaFixture";

describe("the local Lambda service", () => {
  describe("logs", () => {
    it("prefixes each line with the function's name", async () => {
      const lines = logLines();
      const service = await serve(
        "exports.handler = async () => { process.stdout.write('out\\n'); process.stderr.write('err\\n'); };",
        { log: lines.log },
      );
      await service.invoke("f", {});

      expect(await lines.matching(/out/)).to.equal("f: out");
      expect(await lines.matching(/err/)).to.equal("f: err");
    });

    it("are JSON records under the JSON format, with one logged object as the message", async () => {
      const lines = logLines();
      const service = await serve(
        "exports.handler = async (_, c) => { console.warn({ a: 1 }); console.log('x', 2); return c.awsRequestId; };",
        { log: lines.log, loggingConfig: { logFormat: "JSON" } },
      );
      const requestId = await payload(service.invoke("f", {}));

      const record = JSON.parse((await lines.matching(/WARN/)).replace(/^f: /, ""));
      expect(record.timestamp).to.match(/^\d{4}-.*Z$/);
      expect(record).to.deep.include({ level: "WARN", requestId, message: { a: 1 } });
      expect(JSON.parse((await lines.matching(/INFO/)).replace(/^f: /, "")).message).to.equal("x 2");
    });

    it("hold an error's type, message and stack under the JSON format", async () => {
      const lines = logLines();
      const service = await serve("exports.handler = async () => { throw new RangeError('far'); };", {
        log: lines.log,
        loggingConfig: { logFormat: "JSON" },
      });
      await service.invoke("f", {});

      const record = JSON.parse((await lines.matching(/ERROR/)).replace(/^f: /, ""));
      expect(record.message).to.include({ errorType: "RangeError", errorMessage: "far" });
      expect(record.message.stackTrace[0]).to.equal("RangeError: far");
    });

    it("leave out what is below the application's log level", async () => {
      const lines = logLines();
      const service = await serve("exports.handler = async () => { console.info('low'); console.error('high'); };", {
        log: lines.log,
        loggingConfig: { logFormat: "JSON", applicationLogLevel: "ERROR" },
      });
      await service.invoke("f", {});
      await lines.matching(/high/);

      expect(lines.all.filter((line) => line.includes("low"))).to.deep.equal([]);
    });

    /** What a function with one line of code logs at this level, up to the line "end". */
    async function linesAt(applicationLogLevel: string, code: string): Promise<string[]> {
      const lines = logLines();
      const loggingConfig = { logFormat: "JSON", applicationLogLevel, systemLogLevel: "WARN" };
      const service = await serve(`exports.handler = async () => { ${code}; console.error("end"); };`, {
        log: lines.log,
        loggingConfig,
      });
      await service.invoke("f", {});
      await lines.matching(/end/);
      return lines.all.map((line) => line.replace(/^f: /, "")).filter((line) => !line.includes('"end"'));
    }

    for (const [what, line] of [
      ["a metric document without a level", '{"_aws":{}}'],
      ["a line that is no JSON", "plain"],
      ["a line with a level and no timestamp", '{"level":"ERROR"}'],
      ["a line with a level and a timestamp that is none", '{"level":"ERROR","timestamp":"now"}'],
      ["a line with an unknown level", '{"level":"HIGH","timestamp":"2026-11-28T12:00:00.000Z"}'],
    ] as const) {
      const code = `process.stdout.write(${JSON.stringify(`${line}\n`)})`;
      it(`take ${what}, written past the console, for INFO`, async () => {
        expect(await linesAt("WARN", code)).to.deep.equal([]);
        expect(await linesAt("INFO", code)).to.deep.equal([line]);
      });
    }

    it("keep a line past the console that names the function's level and a time", async () => {
      const line = '{"level":"warn","timestamp":"2026-11-28T12:00:00.000Z","_aws":{}}';
      const code = `process.stdout.write(${JSON.stringify(`${line}\n`)})`;
      expect(await linesAt("WARN", code)).to.deep.equal([line]);
      expect(await linesAt("ERROR", code)).to.deep.equal([]);
    });

    it("keep every line under the text format, which Lambda does not filter", async () => {
      const lines = logLines();
      const code = "exports.handler = async () => { process.stdout.write('plain\\n'); };";
      const service = await serve(code, { log: lines.log });
      await service.invoke("f", {});
      expect(await lines.matching(/plain/)).to.equal("f: plain");
    });
  });

  describe("system logs", () => {
    const working = "exports.handler = async () => null;";
    const failing = "exports.handler = async () => { throw new RangeError('far'); };";

    /** The types and statuses of the platform's events. */
    async function eventsAt(systemLogLevel: string | undefined, body: string, invocations = 1) {
      const lines = logLines();
      const loggingConfig = { logFormat: "JSON", applicationLogLevel: "FATAL", systemLogLevel };
      const service = await serve(body, { log: lines.log, loggingConfig, timeoutSeconds: 1 });
      for (let count = 0; count < invocations; count++) await service.invoke("f", {});
      await service.close();
      return lines.all
        .map((line) => JSON.parse(line.replace(/^f: /, "")) as { type: string; record: { status?: string } })
        .map(({ type, record }) => [type, record.status].filter((part) => part !== undefined).join(" "));
    }

    it("have an invocation's start and report at the level INFO, which is the default", async () => {
      const expected = ["platform.start", "platform.report success"];
      expect(await eventsAt("INFO", working)).to.deep.equal(expected);
      expect(await eventsAt(undefined, working)).to.deep.equal(expected);
    });

    it("have the runtime's end, too, at the level DEBUG", async () => {
      expect(await eventsAt("DEBUG", working)).to.deep.equal([
        "platform.start",
        "platform.runtimeDone success",
        "platform.report success",
      ]);
    });

    it("have nothing of an invocation that succeeds at the level WARN", async () => {
      expect(await eventsAt("WARN", working, 3)).to.deep.equal([]);
    });

    for (const [what, body, status] of [
      ["throws", failing, "error"],
      ["ends its process", "exports.handler = async () => process.exit(1);", "failure"],
      ["times out", "exports.handler = () => new Promise((resolve) => setTimeout(resolve, 60_000));", "timeout"],
    ] as const) {
      it(`have the failure of an invocation that ${what} at the level WARN`, async () => {
        expect(await eventsAt("WARN", body)).to.deep.equal([
          `platform.runtimeDone ${status}`,
          `platform.report ${status}`,
        ]);
      });
    }

    it("are not modelled under the text format", async () => {
      const lines = logLines();
      const service = await serve(working, { log: lines.log });
      await service.invoke("f", {});
      await service.close();
      expect(lines.all).to.deep.equal([]);
    });
  });
});
