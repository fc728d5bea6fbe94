import { JWKSMultipleMatchingKeys, JWKSNoMatchingKey } from "jose/errors";
import { createLocalJWKSet } from "jose/jwks/local";
import type { FetchKeys } from "./fetchKeys";
import { isForTokens, isUsable, type Jwks, keyObjectsOf } from "./jwks";
import { RefusedTokenError, SigningKeysError } from "./tokenErrors";

/** The header fields of a token that select its key. `alg` is one of the allowed algorithms. */
export interface KeyHeader {
  alg: string;
  kid?: string;
}

export type PublicKey = Awaited<ReturnType<ReturnType<typeof createLocalJWKSet>>>;

/** Finds the keys that may have signed a token. */
export interface SigningKeys {
  /**
   * At least one key. With `kid`, every key of that id that fits; without, the one key of the set that fits.
   *
   * @throws RefusedTokenError if no key fits, or several do and the token does not say which.
   * @throws SigningKeysError if the keys cannot be fetched or used.
   */
  find(header: KeyHeader): Promise<PublicKey[]>;
}

/** Fixed keys. Nothing is fetched. */
export function inlineKeys(jwks: Jwks): SigningKeys {
  const set = new KeySet(jwks);
  return { find: (header) => set.find(header) };
}

/**
 * Keys behind a URI: fetched with the first token, and again with the first one that comes ten minutes later: a key that the
 * issuer has removed is trusted no longer, and a token without `kid` finds a new one. While the issuer does not answer, the
 * old keys stay. A token that names a key which the set does not have makes it fetch at once, but not within ten seconds of
 * another such token, so that made-up key ids cannot flood the issuer.
 *
 * Not jose's `createRemoteJWKSet`: it does not keep the old keys where fetching fails, tells a client that its token is bad
 * during the ten seconds, and lets one malformed key break others.
 */
export function fetchedKeys(uri: string, fetchKeys: FetchKeys, now: () => number = Date.now): SigningKeys {
  let set: KeySet | undefined;
  let fetching: Promise<KeySet> | undefined;
  let refreshAt = 0;
  let mayFetchAgainAt = 0;

  const fetched = async (): Promise<KeySet> => {
    fetching ??= keySetFrom(uri, fetchKeys).finally(() => (fetching = undefined));
    set = await fetching;
    refreshAt = now() + MAX_AGE_MS;
    return set;
  };

  const upToDate = async (): Promise<KeySet> => {
    const old = set;
    if (old === undefined) return await fetched();
    if (now() < refreshAt) return old;
    try {
      return await fetched();
    } catch {
      refreshAt = now() + RETRY_REFRESH_MS;
      // A token that names an unknown key would wait for the issuer twice, longer than a handshake may take.
      mayFetchAgainAt = now() + UNKNOWN_KEY_PAUSE_MS;
      return old;
    }
  };

  return {
    async find(header) {
      const { kid } = header;
      const before = set;
      let current = await upToDate();
      if (kid === undefined || current.has(kid)) return await current.find(header);
      if (current === before) {
        if (now() < mayFetchAgainAt) {
          throw new SigningKeysError("a token names an unknown key, and the keys may not be fetched again yet");
        }
        current = await fetched();
      }
      if (!current.has(kid)) mayFetchAgainAt = now() + UNKNOWN_KEY_PAUSE_MS;
      return await current.find(header);
    },
  };
}

const UNKNOWN_KEY_PAUSE_MS = 10_000;
export const MAX_AGE_MS = 10 * 60_000;
// Not with every token: each one would wait for an issuer that does not answer.
export const RETRY_REFRESH_MS = 60_000;

async function keySetFrom(uri: string, fetchKeys: FetchKeys): Promise<KeySet> {
  try {
    return new KeySet(JSON.parse(new TextDecoder().decode(await fetchKeys(uri))));
  } catch (cause) {
    throw new SigningKeysError("the signing keys cannot be fetched or used", { cause });
  }
}

/**
 * The keys of a set that can verify a token. Others are left out, as RFC 7517, section 5, recommends: identity providers
 * publish keys for encryption and of kinds to come in the same set.
 */
class KeySet {
  private readonly kids: Set<unknown>;
  private readonly damagedKids: Set<unknown>;
  private readonly candidates: ReturnType<typeof createLocalJWKSet>;

  constructor(jwks: unknown) {
    const given = keyObjectsOf(jwks);
    const keys = given.filter(isForTokens);
    const usable = keys.filter(isUsable);
    if (usable.length === 0) {
      throw new SigningKeysError(`none of the ${given.length} keys of the set can verify a token`);
    }
    this.kids = new Set(given.map(({ kid }) => kid));
    this.damagedKids = new Set(keys.filter((key) => !isUsable(key)).map(({ kid }) => kid));
    this.candidates = createLocalJWKSet({ keys: usable });
  }

  has(kid: string): boolean {
    return this.kids.has(kid);
  }

  async find({ alg, kid }: KeyHeader): Promise<PublicKey[]> {
    const keys = await this.fitting(alg, kid);
    if (keys.length > 1 && kid === undefined) {
      throw new RefusedTokenError(`the header has no kid, and ${keys.length} keys of the set fit its alg ${alg}`);
    }
    if (keys.length > 0) return keys;
    if (kid === undefined)
      throw new RefusedTokenError(`the header has no kid, and no key of the set fits its alg ${alg}`);
    if (!this.has(kid)) throw new RefusedTokenError("the header's kid names no key of the set");
    if (this.damagedKids.has(kid)) throw new SigningKeysError("the key that a token names is malformed");
    throw new RefusedTokenError(`no key that the header's kid names fits its alg ${alg}`);
  }

  /** By kid, alg, use, key_ops, kty and crv. */
  private async fitting(alg: string, kid: string | undefined): Promise<PublicKey[]> {
    try {
      return [await this.candidates({ alg, kid })];
    } catch (error) {
      if (error instanceof JWKSNoMatchingKey) return [];
      if (error instanceof JWKSMultipleMatchingKeys) return await allOf(error);
      throw new SigningKeysError("the signing keys cannot be used", { cause: error });
    }
  }
}

async function allOf<T>(values: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const value of values) all.push(value);
  return all;
}
