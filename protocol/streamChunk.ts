// Generated from streamChunk.schema.json by protocol/generateTypes: change the schema, and run that.

/**
 * Backend -> client: a piece of a stream. It is the body of an ordinary message, as JSON. Ignore members that are not listed, and treat a member that is null as absent. A body that does not follow this schema is an ordinary message.
 */
export interface StreamChunk {
  type: "websocket-relay.stream";
  /**
   * The stream's ID, unique in its session.
   */
  id: string;
  /**
   * The length of the stream's text before this chunk, in UTF-16 code units, as JavaScript counts a string's length.
   */
  offset: number;
  /**
   * The text to append. If it is empty and there is no `end`, the chunk only shows that the backend is still writing.
   */
  text: string;
  /**
   * Only in the stream's last chunk: the text is complete (`closed`), or the backend has given up (`aborted`).
   */
  end?: "closed" | "aborted";
  /**
   * Only if `end` is `aborted`: why, in the backend's words.
   */
  reason?: string;
}
