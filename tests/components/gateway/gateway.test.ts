import { expect } from "chai";
import { byType, type RelayRun, runRelay } from "../../support/relayRun";

describe("the gateway", () => {
  let run: RelayRun;

  before(async () => {
    run = await runRelay({ tags: { team: "chat" } });
  });

  it("routes $connect and $disconnect to their functions, each with a permission for its own route", () => {
    for (const part of ["connect", "disconnect"]) {
      expect(run.inputs("aws:apigatewayv2/integration:Integration", `relay-${part}-integration`)).to.deep.equal({
        apiId: "relay-api-id",
        integrationType: "AWS_PROXY",
        integrationMethod: "POST",
        integrationUri: `invoke:relay-${part}`,
      });
      expect(run.inputs("aws:apigatewayv2/route:Route", `relay-${part}-route`)).to.deep.equal({
        apiId: "relay-api-id",
        routeKey: `$${part}`,
        target: `integrations/relay-${part}-integration-id`,
      });
      expect(run.inputs("aws:lambda/permission:Permission", `relay-${part}-permission`)).to.deep.equal({
        action: "lambda:InvokeFunction",
        function: `relay-${part}`,
        principal: "apigateway.amazonaws.com",
        sourceArn: `arn:aws:execute-api:eu-west-1:111122223333:api123/*/$${part}`,
      });
    }
  });

  it("answers a ping without a function", () => {
    expect(run.inputs("aws:apigatewayv2/integration:Integration", "relay-ping-integration")).to.deep.equal({
      apiId: "relay-api-id",
      integrationType: "MOCK",
      passthroughBehavior: "WHEN_NO_MATCH",
      templateSelectionExpression: "\\$default",
      requestTemplates: { $default: '{"statusCode":200}' },
    });
    expect(
      run.inputs("aws:apigatewayv2/integrationResponse:IntegrationResponse", "relay-ping-integration-response"),
    ).to.deep.equal({
      apiId: "relay-api-id",
      integrationId: "relay-ping-integration-id",
      integrationResponseKey: "/200/",
      templateSelectionExpression: "\\$default",
      responseTemplates: { $default: '{"type":"pong"}' },
    });
    expect(run.inputs("aws:apigatewayv2/route:Route", "relay-ping-route")).to.deep.include({
      routeKey: "ping",
      routeResponseSelectionExpression: "$default",
    });
    expect(run.inputs("aws:apigatewayv2/routeResponse:RouteResponse", "relay-ping-route-response")).to.deep.include({
      routeId: "relay-ping-route-id",
      routeResponseKey: "$default",
    });
  });

  it("drops the frames of protocol clients in retry mode: by the ping's integration, without a response", () => {
    for (const [part, routeKey] of [
      ["resume", "resume"],
      ["acknowledge", "ack"],
    ] as const) {
      expect(run.inputs("aws:apigatewayv2/route:Route", `relay-${part}-route`)).to.deep.equal({
        apiId: "relay-api-id",
        routeKey,
        target: "integrations/relay-ping-integration-id",
      });
    }
    expect(byType(run.registrations)["aws:apigatewayv2/routeResponse:RouteResponse"]).to.deep.equal([
      "relay-ping-route-response",
    ]);
  });

  it("deploys to a stage with the name and the tags, whose routes log nothing", () => {
    const stage = run.inputs("aws:apigatewayv2/stage:Stage", "relay-stage");
    expect(stage).to.deep.include({
      apiId: "relay-api-id",
      name: "live",
      deploymentId: "relay-deployment-id",
      tags: { team: "chat" },
    });
  });
});
