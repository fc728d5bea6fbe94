import { connection } from "next/server";
import { setting } from "../server/setting";
import { Inbox } from "./inbox";

export default async function Page() {
  // Rendered for each request: the relay's URL is the deployment's, which the build does not know.
  await connection();
  return <Inbox websocketUrl={setting("WEBSOCKET_URL")} chatId="7" />;
}
