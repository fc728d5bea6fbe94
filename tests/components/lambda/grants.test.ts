import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { WebsocketRelay } from "../../../components";
import { record } from "../../support/recorder";
import { auth, runRelay } from "../../support/relayRun";

describe("grants", () => {
  it("grants a backend's role to publish to the topic, and nothing else", async () => {
    const granted = await record(() => {
      const role = new aws.iam.Role("backend", { assumeRolePolicy: "{}" });
      const other = new WebsocketRelay("relay", { auth });
      other.grantPublish(role);
      other.grantPublish(role, "publish-again");
    });
    expect(granted.errors).to.deep.equal([]);
    const policies = granted.registrations.filter(
      ({ name }) => /^relay-publish/.test(name) && name !== "relay-publisher",
    );
    expect(policies.map(({ name, inputs: { role } }) => [name, role])).to.have.deep.members([
      ["relay-publish-policy", "backend"],
      ["relay-publish-again-policy", "backend"],
    ]);
    expect(JSON.parse(policies[0]?.inputs.policy as string)).to.deep.equal({
      Version: "2012-10-17",
      Statement: [
        { Effect: "Allow", Action: ["sns:Publish"], Resource: ["arn:aws:sns:eu-west-1:111122223333:relay-topic"] },
      ],
    });
  });

  it("refuse a role's ARN, for which IAM has its name, as soon as it is known", async () => {
    const arn = "arn:aws:iam::111122223333:role/backend";
    const says = /^role: got "arn:aws:iam::111122223333:role\/backend"; .* not the ARN/;
    let known = "";
    const { registrations } = await runRelay(
      {},
      {
        use: (relay) => {
          try {
            relay.grantPublish(arn);
          } catch (error) {
            known = (error as Error).message;
          }
        },
      },
    );
    expect(known).to.match(says);
    expect(registrations.map(({ name }) => name)).not.to.include("relay-publish-policy");

    const program = () => new WebsocketRelay("relay", { auth }).grantPublish(pulumi.output(arn));
    const later = await record(program, { awaitedErrors: 6 });
    expect(later.errors.map(({ message }) => message.replace(/^error serializing property "role": /, "")))
      .to.have.lengthOf(6)
      .and.to.satisfy((messages: string[]) => messages.every((message) => says.test(message)));
  });

  it("refuse a second one without a policyName, and say what to write", async () => {
    await runRelay(
      { delivery: "replay" },
      {
        use: (relay) => {
          for (const method of ["grantPublish", "grantDisconnectUser", "grantReadPosition"] as const) {
            relay[method]("backend");
            const refused = refusalOf(() => relay[method]("backend"));
            expect(refused).to.match(/^policyName: got "[\w-]+"; allowed: another for each grant of a relay/);
            expect(refused).to.include(`Fix: pass one as the second argument: ${method}(role, "`);
          }
        },
      },
    );
  });

  it("refuse what is no role, and a policyName of which IAM takes no policy's name", async () => {
    const roles = [undefined, null, 7, ["backend"], {}];
    const policyNames = ["", "my policy", "p".repeat(108), 7, null];
    await runRelay(
      {},
      {
        use: (relay) => {
          for (const role of roles) {
            expect(refusalOf(() => relay.grantPublish(role as string))).to.match(
              /^role: got .*; allowed: a role, or its/,
            );
          }
          for (const policyName of policyNames) {
            expect(refusalOf(() => relay.grantPublish("backend", policyName as string))).to.match(
              /^policyName: got .*; allowed: a text of up to 107 letters/,
            );
          }
          expect(refusalOf(() => relay.grantPublish("backend", "p".repeat(107)))).to.equal("");
        },
      },
    );
  });

  it("let a backend's role query the history, and nothing else", async () => {
    const use = (relay: WebsocketRelay) => [
      relay.grantReadPosition("backend"),
      relay.grantReadPosition("backend", "read-2"),
    ];
    const { statements, inputs } = await runRelay({ delivery: "replay" }, { use });
    expect(inputs("aws:iam/rolePolicy:RolePolicy", "relay-read-position-policy").role).to.equal("backend");
    for (const policy of ["relay-read-position-policy", "relay-read-2-policy"]) {
      expect(statements(policy)).to.deep.equal([
        {
          Effect: "Allow",
          Action: ["dynamodb:Query"],
          Resource: ["arn:aws:dynamodb:eu-west-1:111122223333:table/relay-history-table"],
        },
      ]);
    }
  });

  it("refuse to let a role read positions in retry mode, which has none", async () => {
    let refused = "";
    const use = (relay: WebsocketRelay) => void (refused = refusalOf(() => relay.grantReadPosition("backend")));
    const { registrations } = await runRelay({}, { use });
    expect(refused).to.equal(
      'delivery: got "retry"; allowed: "replay" for grantReadPosition. Fix: set delivery to "replay", or leave out ' +
        "grantReadPosition: without a history, messages have no numbers.",
    );
    expect(registrations.map(({ name }) => name)).not.to.include("relay-read-position-policy");
  });

  it("let a backend's role cut users off: their items, and closing their connections", async () => {
    const { statements, inputs } = await runRelay({}, { use: (relay) => relay.grantDisconnectUser("backend") });
    expect(inputs("aws:iam/rolePolicy:RolePolicy", "relay-disconnect-user-policy").role).to.equal("backend");
    expect(statements("relay-disconnect-user-policy")).to.deep.equal([
      {
        Effect: "Allow",
        Action: ["dynamodb:Query", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem"],
        Resource: ["arn:aws:dynamodb:eu-west-1:111122223333:table/relay-table"],
      },
      {
        Effect: "Allow",
        Action: ["execute-api:ManageConnections"],
        Resource: ["arn:aws:execute-api:eu-west-1:111122223333:api123/live/DELETE/@connections/*"],
      },
    ]);
  });
});

/** What a grant is refused with, if it is. */
function refusalOf(grant: () => unknown): string {
  try {
    grant();
    return "";
  } catch (error) {
    if (pulumi.InputPropertyError.isInstance(error)) return error.reason;
    throw error;
  }
}
