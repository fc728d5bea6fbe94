const credentials = "give credentials that are valid, as to the AWS CLI: by AWS_PROFILE, or aws sso login";
const network = "check the network, and that the addresses are those of a relay that is running";
const addresses = "check that the addresses are those of a relay that is deployed, in their account and region";

/** What to do about a failure, by its name or code. What is not listed here says enough itself. */
const fixes: Record<string, string> = {
  // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
  CredentialsProviderError: credentials,
  TokenProviderError: credentials,
  ExpiredToken: credentials,
  ExpiredTokenException: credentials,
  InvalidClientTokenId: credentials,
  InvalidSignatureException: credentials,
  UnrecognizedClientException: credentials,
  ResourceNotFoundException: addresses,
  QueueDoesNotExist: addresses,
  // https://nodejs.org/api/errors.html#common-system-errors
  EAI_AGAIN: network,
  ECONNREFUSED: network,
  ECONNRESET: network,
  EHOSTUNREACH: network,
  ENETUNREACH: network,
  ENOTFOUND: network,
  ETIMEDOUT: network,
  TimeoutError: network,
};

/** A failure as one message for people: what failed, and how to fix it where that is known. */
export function failureText(error: Error & { code?: string }): string {
  const fix = fixes[error.code ?? ""] ?? fixes[error.name];
  return fix === undefined ? whatFailed(error) : `${whatFailed(error).replace(/\.$/, "")}. Fix: ${fix}.`;
}

/** Of a host with several addresses, none of which answers, Node throws an AggregateError without a message. */
export function whatFailed({ message, name, errors = [] }: Error & { errors?: Error[] }): string {
  return message || errors.map((each) => each.message).join("; ") || name;
}
