import { RelayInputError } from "pulumi-websocket-relay-backend";
import { relayBackend } from "../../server/relayBackend";
import { currentSession } from "../../server/session";

/** Publishes a text to a chat of the user who is signed in, as a job of the app would once it is done. */
export async function POST(request: Request): Promise<Response> {
  const session = await currentSession();
  if (!session) return Response.json({ error: "sign in first" }, { status: 401 });
  try {
    const { chatId, text } = (await request.json()) as { chatId: string; text: string };
    const to = { user: session.user, context: "chat", contextId: chatId };
    return Response.json(await relayBackend().publish({ ...to, message: text }), { status: 202 });
  } catch (error) {
    if (!(error instanceof RelayInputError || error instanceof SyntaxError)) throw error;
    return Response.json({ error: error.message }, { status: 400 });
  }
}
