import * as aws from "@pulumi/aws";
import { expect } from "chai";
import { CustomDomain, type CustomDomainPartArgs } from "../../../components/gateway/customDomain";
import { record, type Registration, valueOf } from "../../support/recorder";

const certificateArn = "arn:aws:acm:eu-west-1:444455556666:certificate/0a1b2c3d";
const target = { domainName: "d-abc123.execute-api.eu-west-1.amazonaws.com", hostedZoneId: "ZLY8HYME6SFDD" };

describe("CustomDomain", () => {
  it("makes a regional domain name of TLS 1.2, maps the stage to it, and points an alias at it", async () => {
    const { domain, registered } = await domainOf({
      domainName: "ws.relay.dev",
      certificateArn,
      hostedZoneId: "Z0A1B2C3",
      basePath: "chat/v1",
    });

    expect(registered).to.deep.equal({
      "aws:apigatewayv2/domainName:DomainName relay-domain-name": {
        domainName: "ws.relay.dev",
        domainNameConfiguration: {
          certificateArn,
          endpointType: "REGIONAL",
          securityPolicy: "TLS_1_2",
          ipAddressType: "ipv4",
        },
        tags: { team: "chat" },
      },
      "aws:apigatewayv2/apiMapping:ApiMapping relay-api-mapping": {
        apiId: "api-id",
        stage: "live",
        domainName: "ws.relay.dev",
        apiMappingKey: "chat/v1",
      },
      "aws:route53/record:Record relay-a-record": {
        zoneId: "Z0A1B2C3",
        name: "ws.relay.dev",
        type: "A",
        aliases: [{ name: target.domainName, zoneId: target.hostedZoneId, evaluateTargetHealth: false }],
      },
    });
    expect(await valueOf(domain.websocketUrl)).to.equal("wss://ws.relay.dev/chat/v1");
  });

  it("has an alias for IPv6 too where the domain is dualstack", async () => {
    const { registered } = await domainOf({
      domainName: "ws.relay.dev",
      certificateArn,
      hostedZoneId: "Z0A1B2C3",
      ipAddressType: "dualstack",
    });

    const domainName = registered["aws:apigatewayv2/domainName:DomainName relay-domain-name"];
    expect(domainName?.domainNameConfiguration).to.include({ ipAddressType: "dualstack" });
    const records = Object.entries(registered).filter(([key]) => key.startsWith("aws:route53"));
    expect(records.map(([key, { type }]) => [key, type])).to.deep.equal([
      ["aws:route53/record:Record relay-a-record", "A"],
      ["aws:route53/record:Record relay-aaaa-record", "AAAA"],
    ]);
  });

  it("makes no record without a hosted zone, and says what one elsewhere has to point at", async () => {
    const { domain, registered } = await domainOf({ domainName: "ws.relay.dev", certificateArn });

    expect(Object.keys(registered)).to.deep.equal([
      "aws:apigatewayv2/domainName:DomainName relay-domain-name",
      "aws:apigatewayv2/apiMapping:ApiMapping relay-api-mapping",
    ]);
    expect(await valueOf(domain.target)).to.deep.equal(target);
    expect(await valueOf(domain.websocketUrl)).to.equal("wss://ws.relay.dev");
  });

  it("only maps to an existing domain name", async () => {
    const { domain, registered } = await domainOf({ domainName: "ws.relay.dev" });

    expect(registered).to.deep.equal({
      "aws:apigatewayv2/apiMapping:ApiMapping relay-api-mapping": {
        apiId: "api-id",
        stage: "live",
        domainName: "ws.relay.dev",
      },
    });
    expect([domain.domainName, domain.target, domain.records]).to.deep.equal([undefined, undefined, []]);
  });
});

/** The domain, and what it registers besides itself, the API and the stage. */
async function domainOf(args: Partial<CustomDomainPartArgs> & { domainName: string }): Promise<{
  domain: CustomDomain;
  registered: Record<string, Registration["inputs"]>;
}> {
  let domain!: CustomDomain;
  const { registrations, errors } = await record(() => {
    const api = new aws.apigatewayv2.Api("api", { protocolType: "WEBSOCKET" });
    const stage = new aws.apigatewayv2.Stage("stage", { apiId: api.id, name: "live" });
    const given = { ipAddressType: "ipv4" as const, tags: { team: "chat" }, ...args };
    domain = new CustomDomain("relay", { ...given, api, stage });
  });
  expect(errors).to.deep.equal([]);
  const own = registrations.filter(({ name, type }) => name.startsWith("relay-") && type.startsWith("aws:"));
  return { domain, registered: Object.fromEntries(own.map(({ type, name, inputs }) => [`${type} ${name}`, inputs])) };
}
