import type { IncomingMessage } from "node:http";
import { newResourceId } from "./ids";
import { badRequest, conflict, notFound } from "./controlPlaneError";

/** A custom domain name's path, and the stage of an API that is behind it. */
export interface ApiMapping {
  domainName: string;
  apiId: string;
  stageName: string;
  /** The path without its first slash; empty for the whole domain. */
  key: string;
}

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-mappings.html */
const allowedKey = /^$|^(?!.*\/\/)(?!\/)[\w$\-.+!*'()/]{0,299}[\w$\-.+!*'()]$/;

/** The custom domain names of an account's region. Which one a client means is in its Host header. */
export class CustomDomains {
  private readonly domains = new Set<string>();
  private readonly mappings = new Map<string, ApiMapping>();

  addDomain(name: string): void {
    if (this.domains.has(name)) throw badRequest(`The domain name you provided already exists: ${name}`);
    this.domains.add(name);
  }

  removeDomain(name: string): void {
    this.domains.delete(name);
  }

  putMapping(mapping: ApiMapping, id = newResourceId().slice(0, 6)): string {
    const { domainName, key } = mapping;
    if (!this.domains.has(domainName)) throw notFound(`Invalid domain name identifier specified ${domainName}`);
    if (!allowedKey.test(key)) {
      throw badRequest(
        `apiMappingKey is ${JSON.stringify(key)}: it must be at most 300 letters, digits and $-_.+!*'(), with single slashes between`,
      );
    }
    for (const [otherId, other] of this.mappings) {
      if (otherId !== id && other.domainName === domainName && other.key === key) {
        throw conflict(`ApiMapping key ${JSON.stringify(key)} already exists for this domain name ${domainName}`);
      }
    }
    this.mappings.set(id, mapping);
    return id;
  }

  removeMapping(id: string): void {
    this.mappings.delete(id);
  }

  /** Throws where a mapping still leads to the API, or to that stage of it. */
  checkUnmapped(apiId: string, stageName?: string): void {
    for (const { domainName, ...mapping } of this.mappings.values()) {
      if (mapping.apiId === apiId && (stageName ?? mapping.stageName) === mapping.stageName) {
        const what = stageName === undefined ? "API" : "stage";
        throw badRequest(
          `Deleting ${what} failed. Please remove all API mappings related to the ${what} in your domains: ${domainName}`,
        );
      }
    }
  }

  /** Whether the request is for one of these domains, and not for an API's own address. */
  isFor(request: IncomingMessage): boolean {
    return this.domains.has(hostOf(request));
  }

  /**
   * Gives a request the path that it would have at the API's own address, and returns its mapping; undefined where none
   * has its path. Behind a path of several parts header names arrive in lower case, as on AWS.
   */
  route(request: IncomingMessage): ApiMapping | undefined {
    const [path = "", query = ""] = (request.url ?? "").split(/(?=\?)(.*)/s);
    const [base = "", management = ""] = path.split(/(?=\/@connections\/)(.*)/s);
    const [domainName, key] = [hostOf(request), base.slice(1)];
    const mapping = [...this.mappings.values()].find((each) => each.domainName === domainName && each.key === key);
    if (!mapping) return undefined;
    request.url = `/${mapping.stageName}${management}${query}`;
    if (mapping.key.includes("/")) {
      request.rawHeaders.forEach((text, at) => at % 2 === 0 && (request.rawHeaders[at] = text.toLowerCase()));
    }
    return mapping;
  }
}

function hostOf({ headers }: IncomingMessage): string {
  return (headers.host ?? "").replace(/:\d+$/, "").toLowerCase();
}
