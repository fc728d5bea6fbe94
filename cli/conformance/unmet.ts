/** The client does not meet the requirement: the message says what was expected, and what happened. */
export class Unmet extends Error {
  override readonly name = "Unmet";
}
