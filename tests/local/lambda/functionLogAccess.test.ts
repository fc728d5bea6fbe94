import { expect } from "chai";
import { Iam } from "../../../local/iam/iam";
import { FunctionLog } from "../../../local/lambda/functionLog";
import { everything, policyOf, registerRole, type Statement } from "../iam/roles";

describe("a function's log", () => {
  const stream = "arn:aws:logs:us-east-1:000000000000:log-group:/aws/lambda/f:*";

  function start(statements: Statement[], logGroups?: Set<string>) {
    const iam = new Iam();
    const { arn: roleArn } = registerRole(iam, "caller", ...statements);
    const lines: string[] = [];
    const write = (line: string) => void lines.push(line);
    const configuration = { name: "f", roleArn, code: undefined, handler: "index.handler", runtime: "nodejs24.x" };
    const rest = { timeoutSeconds: 3, memorySizeMb: 128, variables: {} };
    const log = new FunctionLog({ ...configuration, ...rest }, iam, write, write, logGroups);
    return { iam, log, lines };
  }

  it("has every line, in order, where the role may create the stream and write to it", async () => {
    const { log, lines } = start([{ Action: ["logs:CreateLogStream", "logs:PutLogEvents"], Resource: stream }]);
    await Promise.all(["one", "two", "three"].map((line) => log.write(line)));
    expect(lines).to.deep.equal(["one", "two", "three"]);
  });

  for (const Action of ["logs:CreateLogStream", "logs:PutLogEvents"]) {
    it(`loses its lines with ${Action} alone, says so once, and has those that come after the role may`, async () => {
      const { iam, log, lines } = start([{ Action, Resource: stream }]);
      await log.write("lost");
      await log.write("lost too");
      expect(lines).to.have.length(1);
      expect(lines[0]).to.contain("the log lines of f are lost").and.contain("not authorized to perform: logs:");
      iam.roles.putInlinePolicy("caller", "policy", policyOf(everything));
      await log.write("kept");
      expect(lines.slice(1)).to.deep.equal(["kept"]);
    });
  }

  it("goes to a group that does not exist only where the role may create it, and once it may", async () => {
    const write = { Action: ["logs:CreateLogStream", "logs:PutLogEvents"], Resource: stream };
    const logGroups = new Set(["/aws/lambda/other"]);
    const { iam, log, lines } = start([write], logGroups);
    await log.write("lost");
    expect(lines[0]).to.contain("are lost").and.contain("not authorized to perform: logs:CreateLogGroup");
    iam.roles.putInlinePolicy("caller", "create", policyOf({ Action: "logs:CreateLogGroup", Resource: stream }));
    await log.write("kept");
    iam.roles.deleteInlinePolicy("caller", "create");
    await log.write("kept too");
    expect(lines.slice(1)).to.deep.equal(["kept", "kept too"]);
    expect([...logGroups]).to.include("/aws/lambda/f");
  });
});
