import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { ResolvedCustomDomain } from "../args/customDomainArgs";

export interface CustomDomainPartArgs extends ResolvedCustomDomain {
  api: aws.apigatewayv2.Api;
  stage: aws.apigatewayv2.Stage;
  ipAddressType: "ipv4" | "dualstack";
  tags: pulumi.Input<Record<string, pulumi.Input<string>>>;
}

/** The target of the domain's DNS record: a CNAME to the name, or an alias to the name in its Route 53 zone. */
export interface CustomDomainTarget {
  /** The name that the DNS record points to. */
  domainName: string;
  /** The Route 53 hosted zone of that name, which an alias record needs. */
  hostedZoneId: string;
}

/** The API under a custom domain. Functions still post to connections at the API's own address. */
export class CustomDomain extends pulumi.ComponentResource {
  /** Absent if an existing domain name is used. */
  readonly domainName: aws.apigatewayv2.DomainName | undefined;
  readonly apiMapping: aws.apigatewayv2.ApiMapping;
  /** The aliases in Route 53: none without a hosted zone. */
  readonly records: aws.route53.Record[];
  /** `wss://{domain}`, with the base path. */
  readonly websocketUrl: pulumi.Output<string>;
  /** Absent if an existing domain name is used. */
  readonly target: pulumi.Output<CustomDomainTarget> | undefined;

  constructor(name: string, args: CustomDomainPartArgs, opts?: pulumi.ComponentResourceOptions) {
    super("websocket-relay:index:CustomDomain", `${name}-custom-domain`, {}, opts);

    this.domainName = args.certificateArn === undefined ? undefined : this.domain(name, args, args.certificateArn);
    this.target = this.domainName?.domainNameConfiguration.apply(({ targetDomainName, hostedZoneId }) => ({
      domainName: targetDomainName,
      hostedZoneId,
    }));

    this.apiMapping = new aws.apigatewayv2.ApiMapping(
      `${name}-api-mapping`,
      {
        apiId: args.api.id,
        stage: args.stage.name,
        domainName: this.domainName?.domainName ?? args.domainName,
        apiMappingKey: args.basePath,
      },
      { parent: this },
    );
    this.records = this.aliases(name, args);

    const path = args.basePath === undefined ? "" : `/${args.basePath}`;
    this.websocketUrl = pulumi.interpolate`wss://${this.apiMapping.domainName}${path}`;
    this.registerOutputs({ websocketUrl: this.websocketUrl });
  }

  private domain(
    name: string,
    args: CustomDomainPartArgs,
    certificateArn: pulumi.Input<string>,
  ): aws.apigatewayv2.DomainName {
    return new aws.apigatewayv2.DomainName(
      `${name}-domain-name`,
      {
        domainName: args.domainName,
        // The only kind and the only version that WebSocket APIs have.
        // https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-custom-domain-names.html
        domainNameConfiguration: {
          certificateArn,
          endpointType: "REGIONAL",
          securityPolicy: "TLS_1_2",
          ipAddressType: args.ipAddressType,
        },
        tags: args.tags,
      },
      { parent: this },
    );
  }

  private aliases(name: string, args: CustomDomainPartArgs): aws.route53.Record[] {
    const { hostedZoneId, domainName } = args;
    if (hostedZoneId === undefined || this.target === undefined) {
      return [];
    }
    const alias = { name: this.target.domainName, zoneId: this.target.hostedZoneId, evaluateTargetHealth: false };
    const types = args.ipAddressType === "dualstack" ? ["A", "AAAA"] : ["A"];
    return types.map(
      (type) =>
        new aws.route53.Record(
          `${name}-${type.toLowerCase()}-record`,
          { zoneId: hostedZoneId, name: domainName, type, aliases: [alias] },
          { parent: this },
        ),
    );
  }
}
