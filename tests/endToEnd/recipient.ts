import type { AttributeValue } from "@aws-sdk/client-dynamodb";

/** The address of one session: whom a message is for. */
export interface Recipient {
  user: string;
  context: string;
  contextId: string;
}

let nextUser = 0;

/** A user whom no other test has. */
export function recipient(context = "chat"): Recipient {
  nextUser += 1;
  return { user: `user-${nextUser}`, context, contextId: "7" };
}

/** The key of the session's item. */
export function keyOf({ user, context, contextId }: Recipient): Record<string, AttributeValue> {
  return { caller_id: { S: `user#${user}` }, context: { S: `${context}#${contextId}` } };
}
