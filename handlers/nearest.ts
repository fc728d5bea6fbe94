import { closest, distance } from "fastest-levenshtein";

/** The known word that was probably meant: the same in another case, or with a typing error. */
export function nearest(given: unknown, known: readonly string[]): string | undefined {
  if (typeof given !== "string" || known.length === 0) return undefined;
  const word = given.trim().toLowerCase();
  const lowerCased = known.map((each) => each.toLowerCase());
  const found = closest(word, lowerCased);
  const errors = distance(word, found);
  const isNear = errors <= Math.max(2, word.length / 3) && errors < Math.min(word.length, found.length);
  return isNear ? known[lowerCased.indexOf(found)] : undefined;
}
