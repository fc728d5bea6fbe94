// Replaces `@aws-sdk/endpoint-cache` in the bundles. The DynamoDB client creates a cache for endpoint discovery, which only a
// command with the endpoint discovery plugin reads: no command of DynamoDB has it. The cache is 2 kB of a bundle.
export class EndpointCache {}
