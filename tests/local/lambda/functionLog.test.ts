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
  });
});
