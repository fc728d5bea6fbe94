import { expect } from "chai";
import type { PolicyEntry } from "../../local/iam/policies";
import type { Authorization } from "../../local/iam/authorizations";
import { refusal } from "../support/refusal";
import type { Flows } from "./flows";
import { type Grant, grantsOf, isAbout, isAllowed, nameOf } from "./privileges";
import type { Relay } from "./relay";

/** Flags of `npm start` that keep the flows short. */
export const fast = ["--time-scale", "60"];

/** Tests that the rights of a program's functions and services are enough for the flows, and that a flow needs each. */
export function describeRights(program: string, start: () => Promise<Relay>, played: Flows): void {
  describe(`the rights of ${program}`, function () {
    // They are taken away one after another, and a flow is played without each.
    this.timeout(600_000);

    let relay: Relay;
    let policies: PolicyEntry[];
    let grants: Grant[];
    /** What the functions, and services for the relay, called in each flow. */
    const callsByFlow = new Map<string, Authorization[]>();

    before(async () => {
      relay = await start();
      policies = await relay.controlled<PolicyEntry[]>("/policies");
      grants = policies.flatMap(grantsOf);
      for (const name of Object.keys(played)) {
        const before = await calls();
        // A flow would wait for ever for what is not allowed to happen.
        const denied = relay.line((line) => line.includes("not authorized"), 0);
        await Promise.race([play(name), denied.then((line) => Promise.reject(new Error(`${name}: ${line}`)))]);
        relay.abandon();
        callsByFlow.set(name, madeSince(before, await calls()));
      }
    });
    after(() => relay.stop());

    const play = async (flow: string) => played[flow]?.(relay);

    /** The account's administrator is the test itself; CloudWatch Logs is asked for its key when a log group is made. */
    const calls = async () =>
      (await relay.controlled<Authorization[]>("/authorizations")).filter(
        ({ principal }) => principal !== "arn:aws:iam::000000000000:root" && !principal.startsWith("logs."),
      );

    const flowsThatUse = async (grant: Grant): Promise<string[]> => {
      const using: string[] = [];
      for (const [flow, made] of callsByFlow) {
        const own = made.filter((call) => call.action === grant.action && isAbout(grant.policy, call));
        const alone = [{ ...grant.policy, document: grant.alone }];
        // A key's policy is also asked for calls that the caller's own policies allow.
        const others = policies.filter((policy) => policy.of !== grant.policy.of);
        const allowed = await Promise.all(own.map((call) => isAllowed(call, [...alone, ...others])));
        if (allowed.includes(true)) using.push(flow);
      }
      return using;
    };

    it("allow each call that is made in any flow", async () => {
      const made = await calls();
      expect(made.map(({ action }) => action)).to.include.members(["dynamodb:PutItem", "lambda:InvokeFunction"]);
      const denied: Authorization[] = [];
      for (const call of made) {
        if (call.decision === "denied" || !(await isAllowed(call, policies))) denied.push(call);
      }
      expect(denied).to.deep.equal([]);
    });

    it("are each used by a call in some flow", async () => {
      expect(grants).to.not.be.empty;
      const unused: string[] = [];
      for (const grant of grants) {
        if ((await flowsThatUse(grant)).length === 0) unused.push(nameOf(grant));
      }
      expect(unused, "granted, and used in none of tests/endToEnd/flows.ts").to.deep.equal([]);
    });

    it("are each needed: without any one of them, a flow breaks", async () => {
      const unneeded: string[] = [];
      for (const grant of grants) {
        let isNeeded = false;
        for (const flow of await flowsThatUse(grant)) isNeeded ||= await breaks(flow, grant);
        if (!isNeeded) unneeded.push(nameOf(grant));
      }
      expect(unneeded).to.deep.equal([]);
    });

    for (const [claim, policy, message] of [
      ["is of nothing here", { of: "arn:aws:sqs:us-east-1:000000000000:other", document: null }, /404.*GET .policies/],
      ["is no document", { of: "arn:aws:sqs:us-east-1:000000000000:other", document: "{}" }, /400.*document/],
    ] as const) {
      it(`are not changed through a policy that ${claim}`, async () => {
        expect((await refusal(relay.control("/policies", policy, "PUT"))).message).to.match(message);
      });
    }

    /** Whether a flow fails, or stops at an error that the relay logs, while a right is taken away. */
    const breaks = async (flow: string, grant: Grant): Promise<boolean> => {
      const { of, name, document } = grant.policy;
      const from = relay.lines.length;
      const patience = setTimeout(() => relay.abandon(), 60_000);
      await relay.control("/policies", { of, name, document: grant.without }, "PUT");
      try {
        const ended = play(flow).then(
          () => false,
          (error: Error) => error.name !== "AbortError" || Promise.reject(error),
        );
        const stopped = relay.line((line) => tellsOf(line, grant), from).then(() => true);
        return await Promise.race([ended, stopped]);
      } catch (error) {
        throw new Error(`without ${nameOf(grant)}, "${flow}" neither ends nor says why`, { cause: error });
      } finally {
        clearTimeout(patience);
        await relay.control("/policies", { of, name, document }, "PUT");
        await relay.fault({ disconnects: "deliver" });
        relay.abandon();
        await relay.queues.purge();
      }
    };
  });
}

/** Whether a line of the local run is about a right that is missing. */
function tellsOf(line: string, { policy: { of, name }, action }: Grant): boolean {
  if (name === undefined) return line.includes(of) && /not authorized|cannot deliver|cannot take/.test(line);
  const role = of.split("/").at(-1);
  return line.toLowerCase().includes(`assumed-role/${role}/`.toLowerCase()) && tells(line, action);
}

/** Services write their actions in a case of their own. */
function tells(line: string, action: string): boolean {
  return line.toLowerCase().includes(`is not authorized to perform: ${action} on resource`.toLowerCase());
}

/** The calls that were made between two looks at all of them. */
function madeSince(before: Authorization[], after: Authorization[]): Authorization[] {
  const keyOf = (call: Authorization) => JSON.stringify({ ...call, calls: 0 });
  const counts = new Map(before.map((call) => [keyOf(call), call.calls]));
  return after.filter((call) => call.calls > (counts.get(keyOf(call)) ?? 0));
}
