import type { Scope, SessionKey } from "../../handlers/sessions/sessionKey";

/** The sessions of every scope: those of `keys` that are in it. */
export class MemoryScopes {
  readonly keys: SessionKey[] = [];
  readonly calls: string[] = [];
  fails = false;

  list({ callerId, context }: Scope, nowSeconds: number, limit: number): Promise<SessionKey[]> {
    this.calls.push(`${callerId} ${context ?? "*"} at ${nowSeconds}`);
    if (this.fails) return Promise.reject(new Error("list fails"));
    const found = this.keys.filter((key) => key.callerId === callerId && key.context.startsWith(`${context ?? ""}`));
    return Promise.resolve(found.slice(0, limit));
  }
}
