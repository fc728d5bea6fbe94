import { account, arn, partition, region } from "../account";
import type { Gateways } from "../gateway/gateways";
import { newResourceId } from "../gateway/ids";
import { AccessDenied, type Iam, type Principal } from "../iam/iam";
import { refusal } from "./refuse";
import type { LocalResource, LocalResources, Properties } from "./resource";

/** Route 53's zone of regional API Gateway domains in us-east-1. https://docs.aws.amazon.com/general/latest/gr/apigateway.html */
const hostedZoneId = "Z1UJRXOUMOOFQ8";

/** Custom domain names of WebSocket APIs, their mappings, and the account's settings. */
export function customDomainResources(gateways: Gateways): LocalResources {
  return {
    "aws:apigatewayv2/domainName:DomainName": domainName(gateways),
    "aws:apigatewayv2/apiMapping:ApiMapping": apiMapping(gateways),
    "aws:apigateway/account:Account": accountSettings(gateways.iam),
  };
}

interface DomainNameConfiguration {
  certificateArn?: string;
  endpointType?: string;
  securityPolicy?: string;
}

function domainName(gateways: Gateways): LocalResource {
  const outputs = (id: string, inputs: Properties, targetDomainName: string): Properties => ({
    arn: `arn:${partition}:apigateway:${region}::/domainnames/${id}`,
    apiMappingSelectionExpression: "$request.basepath",
    domainNameConfiguration: { ...(inputs["domainNameConfiguration"] as object), targetDomainName, hostedZoneId },
  });
  return {
    replaceOnChanges: ["domainName"],
    computedInputs: ["domainNameConfiguration"],
    async create({ name, inputs }) {
      checkDomainName(name, inputs);
      const id = String(inputs["domainName"]);
      gateways.customDomains.addDomain(id);
      return { id, outputs: outputs(id, inputs, `d-${newResourceId()}.execute-api.${region}.amazonaws.com`) };
    },
    async update(id, { name, inputs }, olds) {
      checkDomainName(name, inputs);
      const { targetDomainName } = olds["domainNameConfiguration"] as { targetDomainName: string };
      return outputs(id, inputs, targetDomainName);
    },
    delete: async (id) => gateways.customDomains.removeDomain(id),
  };
}

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-custom-domain-names.html */
function checkDomainName(name: string, inputs: Properties): void {
  const refuse = refusal(`domain name ${name}`, "BadRequestException");
  const { certificateArn, endpointType, securityPolicy } = (inputs["domainNameConfiguration"] ??
    {}) as DomainNameConfiguration;
  if (!/^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,}$/.test(String(inputs["domainName"]))) {
    refuse("domainName", inputs["domainName"], "a domain name in lower case (a wildcard has no local counterpart)");
  }
  // A certificate of another region is not found.
  const certificate = new RegExp(`^arn:${partition}:acm:${region}:\\d{12}:certificate/.+$`);
  if (!certificate.test(certificateArn ?? "")) {
    refuse("certificateArn", certificateArn, `the ARN of an ACM certificate in ${region}, the API's own region`);
  }
  if (endpointType !== "REGIONAL") refuse("endpointType", endpointType, "REGIONAL for a WebSocket API");
  if (securityPolicy !== "TLS_1_2") refuse("securityPolicy", securityPolicy, "TLS_1_2");
  if (inputs["mutualTlsAuthentication"] !== undefined) {
    refuse("mutualTlsAuthentication", inputs["mutualTlsAuthentication"], "absent: WebSocket APIs have none");
  }
}

function apiMapping(gateways: Gateways): LocalResource {
  const put = (inputs: Properties, id?: string): string => {
    const { apiId, domainName, stage, apiMappingKey = "" } = inputs as Record<string, string>;
    const { stages, protocolType } = gateways.api(String(apiId)).definition;
    if (protocolType !== "WEBSOCKET") {
      const refuse = refusal(`API mapping of ${domainName}`, "the local run");
      refuse("apiId", apiId, "a WebSocket API: an HTTP API has only its own address here");
    }
    if (!stages.has(String(stage))) {
      throw new Error(`BadRequestException: Invalid stage identifier specified: API ${apiId} has no stage ${stage}`);
    }
    const mapping = {
      apiId: String(apiId),
      domainName: String(domainName),
      stageName: String(stage),
      key: apiMappingKey,
    };
    return gateways.customDomains.putMapping(mapping, id);
  };
  return {
    replaceOnChanges: ["apiId", "domainName"],
    create: async ({ inputs }) => ({ id: put(inputs), outputs: {} }),
    async update(id, { inputs }) {
      put(inputs, id);
      return {};
    },
    delete: async (id) => gateways.customDomains.removeMapping(id),
  };
}

/** The account's settings in a region. They exist once, and deleting the resource leaves them as they are. */
function accountSettings(iam: Iam): LocalResource {
  const put = async (name: string, { cloudwatchRoleArn }: Properties): Promise<Properties> => {
    if (
      cloudwatchRoleArn &&
      !new RegExp(`^arn:${partition}:iam::${account}:role/.+$`).test(String(cloudwatchRoleArn))
    ) {
      const refuse = refusal(`account ${name}`, "BadRequestException");
      refuse("cloudwatchRoleArn", cloudwatchRoleArn, "the ARN of a role of the account");
    }
    if (cloudwatchRoleArn) await checkLoggingRole(iam, String(cloudwatchRoleArn));
    return { apiKeyVersion: "4", features: ["UsagePlans"], throttleSettings: { burstLimit: 5000, rateLimit: 10_000 } };
  };
  return {
    create: async ({ name, inputs }) => ({ id: "api-gateway-account", outputs: await put(name, inputs) }),
    update: (_, { name, inputs }) => put(name, inputs),
    delete: async () => undefined,
  };
}

/**
 * Refuses a role by which API Gateway could not write; one that the program has not registered is taken on trust.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html
 */
async function checkLoggingRole(iam: Iam, roleArn: string): Promise<void> {
  const role = iam.roles.byArn(roleArn);
  if (!role) return;
  const refuse = (why: string) =>
    new Error(`BadRequestException: The role ARN does not have required permissions configured: ${roleArn}: ${why}`);
  if (!(await iam.canAssume("apigateway.amazonaws.com", roleArn))) {
    throw refuse("its assumeRolePolicy has to allow apigateway.amazonaws.com");
  }
  const principal: Principal = { kind: "role", role, sessionName: "apigateway" };
  const resource = arn("logs", "log-group:API-Gateway:log-stream:local");
  try {
    await iam.authorize(...loggingActions.map((action) => ({ principal, action, resource })));
  } catch (error) {
    if (error instanceof AccessDenied) throw refuse(error.message);
    throw error;
  }
}

const loggingActions = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"];
