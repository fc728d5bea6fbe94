import { isLater, problemText } from "./refuse";
import { isPlaceholder, isText, parseUrl } from "./values";

/** What is wrong with an allowed origin. */
export function originProblem(origin: unknown): string | undefined {
  if (isLater(origin)) {
    return undefined;
  }
  const url = isText(origin) ? parseUrl(origin) : undefined;
  // Compared with the browser's own header, character by character: only what a browser sends can ever match.
  if (!url || !["http:", "https:"].includes(url.protocol) || url.origin !== origin) {
    const fix =
      url && url.origin !== "null" ? `write ${JSON.stringify(url.origin)}` : "write https://app.your-domain.com";
    return problemText(
      origin,
      "scheme, host and port as a browser sends them, without path, wildcard or closing /",
      fix,
    );
  }
  return isPlaceholder(url.hostname)
    ? problemText(origin, "an origin of yours", "set the origin of your web app")
    : undefined;
}
