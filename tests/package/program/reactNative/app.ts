import { type CursorStore, RelayClient, type RelayState } from "pulumi-websocket-relay/client";

// An app of the same team: neither a browser's types nor Node's are there.
declare const AsyncStorage: {
  getItem(key: string): Promise<string | null>;
  setItem(key: string, value: string): Promise<void>;
};

const cursorStore: CursorStore = {
  get: async () => JSON.parse((await AsyncStorage.getItem("relay")) ?? "null") as never,
  set: (cursor) => AsyncStorage.setItem("relay", JSON.stringify(cursor)),
};
const states: RelayState[] = [];
export const client = new RelayClient({
  url: "wss://relay.acme.dev/live",
  context: "chat",
  contextId: "7",
  token: () => Promise.resolve({ token: "t", expiresAtMs: Date.now() + 3_600_000 }),
  cursorStore,
  onMessage: async ({ body, seq }) => AsyncStorage.setItem(`message ${seq}`, body),
  onStateChange: (state) => void states.push(state),
});
