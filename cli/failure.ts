const credentials = "set valid AWS credentials: AWS_PROFILE, or aws sso login";
const network = "check the network, and that the addresses belong to a running relay";
const addresses = "check that the addresses belong to a deployed relay, and that the credentials are for its account";

/** The fix of a failure, by its name or code. The message of any other failure is clear without one. */
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

/** A failure as one line: the problem and, if known, the fix. */
export function failureText(error: Error & { code?: string }): string {
  const fix = fixes[error.code ?? ""] ?? fixes[error.name];
  return fix === undefined ? whatFailed(error) : `${whatFailed(error).replace(/\.$/, "")}. Fix: ${fix}.`;
}

/** If a host has several addresses and none responds, Node throws an AggregateError without a message. */
export function whatFailed({ message, name, errors = [] }: Error & { errors?: Error[] }): string {
  return message || errors.map((each) => each.message).join("; ") || name;
}
