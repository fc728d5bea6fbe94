import { expect } from "chai";
import { foreignRequest } from "../../../local/control/foreignRequest";

describe("a request to the control server", () => {
  const judge = (headers: Record<string, string>, url = "/connections", method = "GET") =>
    foreignRequest({ method, url, headers: { host: "127.0.0.1:8000", ...headers }, socket: { localPort: 8000 } });

  const allowed: [what: string, headers: Record<string, string>, url?: string, method?: string][] = [
    ["of curl", {}, "/faults", "POST"],
    ["of curl by the other name", { host: "localhost:8000" }],
    ["of its own page", { origin: "http://127.0.0.1:8000", "sec-fetch-site": "same-origin" }, "/publish", "POST"],
    ["that was typed in", { "sec-fetch-site": "none", "sec-fetch-mode": "navigate" }],
    [
      "for the page, by a link from elsewhere",
      { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" },
      "/?user=42",
    ],
  ];
  for (const [what, headers, url, method] of allowed) {
    it(`${what} is answered`, () => expect(judge(headers, url, method)).to.equal(undefined));
  }

  const refused: [what: string, headers: Record<string, string>, message: RegExp, url?: string, method?: string][] = [
    ["by a foreign name that resolves here", { host: "evil.dev:8000" }, /^Host: got "evil.dev:8000"; allowed: 127/],
    ["by its own name and another port", { host: "127.0.0.1:80" }, /^Host/],
    [
      "of a foreign page",
      { origin: "https://evil.dev" },
      /^Origin: got "https:\/\/evil.dev"; allowed: http/,
      "/faults",
      "POST",
    ],
    ["of a page without an origin", { origin: "null" }, /^Origin: got "null"/, "/faults", "POST"],
    ["of a page of another port", { origin: "http://127.0.0.1:3000" }, /^Origin/, "/faults", "POST"],
    ["of its own page by the other name", { origin: "http://localhost:8000" }, /^Origin/],
    [
      "of a foreign page's image or script",
      { "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" },
      /^Sec-Fetch-Site/,
    ],
    [
      "of a page on another port's image",
      { "sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors" },
      /^Sec-Fetch-Site/,
      "/",
    ],
    [
      "for a token, by a link from elsewhere",
      { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" },
      /^Sec-/,
      "/token",
    ],
    [
      "of a foreign page's form",
      { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" },
      /^Sec-/,
      "/",
      "POST",
    ],
  ];
  for (const [what, headers, message, url, method] of refused) {
    it(`${what} is refused, saying why`, () => expect(judge(headers, url, method)).to.match(message));
  }
});
