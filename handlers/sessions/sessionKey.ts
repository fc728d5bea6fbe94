/** Identifies the session that a connection or a message belongs to. */
export interface SessionKey {
  callerId: string;
  context: string;
}

/** All sessions of a user, or all of the user's sessions in one context. */
export interface Scope {
  callerId: string;
  /** Without `#`. @default all contexts */
  context?: string;
}

/** A value, or a reason that names the invalid input. */
export type Checked<T> = { value: T; reason?: undefined } | { value?: undefined; reason: string };

// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html#limits-partition-sort-keys
const MAX_PARTITION_KEY_BYTES = 2048;
const MAX_SORT_KEY_BYTES = 1024;

/** The key of a user's session, by the rules that `connect` and `deliver` share. Values are never trimmed. */
export function sessionKey(user: string, context: string, contextId: string): Checked<SessionKey> {
  const callerId = callerIdOf(user);
  if (callerId.reason !== undefined) return callerId;
  const sortKey = contextKeyOf(context, contextId);
  if (sortKey.reason !== undefined) return sortKey;
  return { value: { callerId: callerId.value, context: sortKey.value } };
}

/** The partition key of a user's sessions. */
export function callerIdOf(user: string): Checked<string> {
  if (user === "") return { reason: "user is empty" };
  return key("user", `user#${user}`, MAX_PARTITION_KEY_BYTES);
}

/** The sort key of a context. A `#` in `context` would let two contexts share one key. */
export function contextKeyOf(context: string, contextId: string): Checked<string> {
  const checked = contextOf(context);
  if (checked.reason !== undefined) return checked;
  if (contextId === "") return { reason: "contextId is empty" };
  return key("context and contextId", `${contextPrefixOf(context)}${contextId}`, MAX_SORT_KEY_BYTES);
}

/** The scope of a user, or of a user's context. */
export function scopeOf(user: string, context: string | undefined): Checked<Scope> {
  const callerId = callerIdOf(user);
  if (callerId.reason !== undefined) return callerId;
  if (context === undefined) return { value: { callerId: callerId.value } };
  const checked = contextOf(context);
  if (checked.reason !== undefined) return checked;
  const prefix = key("context", contextPrefixOf(context), MAX_SORT_KEY_BYTES);
  return prefix.reason === undefined ? { value: { callerId: callerId.value, context } } : prefix;
}

/** The beginning of the sort keys of a context. */
export function contextPrefixOf(context: string): string {
  return `${context}#`;
}

function contextOf(context: string): Checked<string> {
  if (context === "") return { reason: "context is empty" };
  return context.includes("#") ? { reason: "context contains #" } : { value: context };
}

/** A string that is unique for each key, for use in maps. */
export function sessionId(key: SessionKey): string {
  return JSON.stringify([key.callerId, key.context]);
}

function key(name: string, value: string, maxBytes: number): Checked<string> {
  // A lone surrogate becomes U+FFFD in UTF-8: two users would share a session.
  if (/\p{Surrogate}/u.test(value)) return { reason: `${name}: not well-formed Unicode` };
  const bytes = Buffer.byteLength(value);
  return bytes > maxBytes ? { reason: `${name}: ${bytes} bytes as a key, at most ${maxBytes} are allowed` } : { value };
}
