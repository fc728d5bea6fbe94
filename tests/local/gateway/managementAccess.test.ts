import { ApiGatewayManagementApiClient, PostToConnectionCommand } from "@aws-sdk/client-apigatewaymanagementapi";
import { expect } from "chai";
import { Iam } from "../../../local/iam/iam";
import { refusal } from "../../support/refusal";
import { Fixture } from "./gatewayFixture";
import { policyOf } from "../iam/roles";
import { afterTest } from "../../support/afterTest";
import { roleOf } from "../iam/caller";

describe("a role's call to the management API", () => {
  it("is answered 403 unless its role allows the method on the stage's connections", async () => {
    const iam = new Iam();
    const fixture = new Fixture({ iam });
    afterTest(() => fixture.close());
    await fixture.deployed("$connect");
    const { id } = await fixture.open();
    const endpoint = `${fixture.apiEndpoint.replace(/^ws/, "http")}/dev`;
    const management = new ApiGatewayManagementApiClient({ ...roleOf(iam), endpoint });
    afterTest(() => management.destroy());
    const post = new PostToConnectionCommand({ ConnectionId: id, Data: Buffer.from("hello") });
    const denied = (await refusal(management.send(post))) as Error & { $metadata: { httpStatusCode: number } };
    expect(denied.name).to.equal("AccessDeniedException");
    expect(denied.$metadata.httpStatusCode).to.equal(403);
    const path = `${fixture.executionArn}/dev/POST/@connections`;
    expect(denied.message).to.contain(`execute-api:ManageConnections on resource: ${path}/{connectionId} because`);
    const Action = "execute-api:ManageConnections";
    iam.roles.putInlinePolicy("caller", "post", policyOf({ Action, Resource: `${path}/*` }));
    await management.send(post);
  });
});
