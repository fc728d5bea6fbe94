import { expect } from "chai";
import { CompactSign, compactVerify } from "jose";
import { type KeyHeader, type SigningKeys } from "../../../../handlers/connect/auth/signingKeys";
import { type KeyPair } from "./tokens";

/** Those of `pairs` by which a token with this header may be signed, out of what `keys` found. */
export async function found(keys: SigningKeys, header: KeyHeader, pairs: Record<string, KeyPair>): Promise<string[]> {
  const candidates = await keys.find(header);
  const names: string[] = [];
  for (const [name, { privateKey }] of Object.entries(pairs)) {
    const signed = await new CompactSign(new Uint8Array(1)).setProtectedHeader({ alg: header.alg }).sign(privateKey);
    for (const candidate of candidates) {
      if (await compactVerify(signed, candidate).catch(() => undefined)) names.push(name);
    }
  }
  expect(names, "each key that was found is one of these").to.have.length(candidates.length);
  return names;
}
