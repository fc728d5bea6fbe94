import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { resolveArgs } from "../../../components/args/args";
import { checkedOrigins } from "../../../components/args/originArgs";
import { refusal } from "../../support/refusal";
import { itRefuses, problemOf, type Refused } from "./argsProblem";
import { auth } from "../../support/relayRun";
import { valueOf } from "../../support/recorder";

const refused = (what: string, origin: unknown, ...parts: string[]): Refused => [
  what,
  { allowedOrigins: ["https://app.relay.dev", origin] },
  "allowedOrigins[1]",
  parts,
];

describe("allowedOrigins", () => {
  for (const origin of [
    "https://app.relay.dev",
    "https://app.relay.dev:8443",
    "http://localhost:3000",
    "http://192.168.1.20:8080",
    "http://tauri.localhost",
    "https://xn--bcher-kva.dev",
    "capacitor://localhost",
    "ionic://localhost",
    "tauri://localhost",
    "app://localhost",
    "app://.",
    "app://-",
    "app://bundle:80",
    "com.relay.app://localhost",
    "chrome-extension://abcdefghijklmnopabcdefghijklmnop",
    "moz-extension://9a310967-e580-48bf-b3e8-4eafebbc122d",
    "safari-web-extension://E5A2B6C8-0F4B-4C32-9D8E-2B7A4A6C9D10",
    "file://",
    "https://*.relay.dev",
    "https://*.relay.dev:8443",
    "https://*.preview.relay.dev",
    "https://*.xn--bcher-kva.dev",
    "https://*.my-project.vercel.app",
  ]) {
    it(`takes ${origin}`, () => {
      expect(resolveArgs({ auth, allowedOrigins: [origin] }).allowedOrigins).to.deep.equal([origin]);
    });
  }

  itRefuses([
    refused("the origin null", "null", "any sandboxed page sends null"),
    refused("an origin with a path", "https://a.dev/x", 'write "https://a.dev"'),
    refused("an origin with a closing slash", "https://a.dev/", 'write "https://a.dev"'),
    refused("an origin with the default port", "https://a.dev:443", 'write "https://a.dev"'),
    refused("an origin in capitals", "https://App.Relay.dev", 'write "https://app.relay.dev"'),
    refused("an origin that is not in Punycode", "https://bücher.dev", 'write "https://xn--bcher-kva.dev"'),
    refused("an origin with a user", "https://me@a.dev", 'write "https://a.dev"'),
    refused("the address of a WebSocket", "wss://a.dev", 'write "https://a.dev"'),
    refused("a host without a scheme", "app.relay.dev", "https:// or http://"),
    refused("a host with a port and no scheme", "localhost:3000", "https:// or http://"),
    refused("a custom scheme with a path", "capacitor://localhost/", 'write "capacitor://localhost"'),
    refused("a custom scheme in capitals", "Capacitor://localhost", 'write "capacitor://localhost"'),
    refused("a custom scheme with a query", "app://localhost?x", 'write "app://localhost"'),
    refused("a custom scheme with a user", "app://me@localhost", 'write "app://localhost"'),
    refused("a custom scheme without a host", "app://", "location.origin"),
    refused("a custom scheme's placeholder", "chrome-extension://<id>", "location.origin"),
    refused("a file", "file:///home/ada/index.html", 'write "file://"'),
    refused("an address without an origin", "data:text/html,x", "location.origin"),
    refused("what a browser loads no page from", "ftp://a.dev", "location.origin"),
    refused("an empty origin", "", "location.origin"),
    refused("an origin with a space around it", " https://a.dev", "location.origin"),
    refused("an origin that is no text", 5, "location.origin"),
    refused("a placeholder", "https://app.example.com", "set the origin"),
    refused("a placeholder of ours behind a wildcard", "https://*.your-domain.com", "set the origin"),
    refused("a placeholder's WebSocket", "wss://app.example.com", "set the origin"),
  ]);

  const shape = "a wildcard only as the whole first part of a host name, over https";
  itRefuses([
    refused("every origin", "*", shape, "list the origin of each page", "null checks no origin"),
    refused("every https origin", "https://*", shape),
    refused("every https origin with a port", "https://*:8443", shape),
    refused("a wildcard over http", "http://*.relay.dev", shape),
    refused("a wildcard in any scheme", "*://relay.dev", shape),
    refused("a wildcard in a part of a label", "https://*foo.relay.dev", shape),
    refused("a wildcard after a part of a label", "https://foo*.relay.dev", shape),
    refused("a wildcard in the middle", "https://a.*.relay.dev", shape),
    refused("two wildcards", "https://*.*.relay.dev", shape),
    refused("a wildcard for a port", "https://a.relay.dev:*", shape),
    refused("a wildcard of a custom scheme", "chrome-extension://*", shape),
    refused("a wildcard before an IPv4 address", "https://*.10.0.0.1", "addresses have no subdomains"),
    refused("a wildcard before an IPv6 address", "https://*.[::1]", "addresses have no subdomains"),
    refused("a wildcard with the default port", "https://*.relay.dev:443", 'write "https://*.relay.dev"'),
    refused("a wildcard with a path", "https://*.relay.dev/", 'write "https://*.relay.dev"'),
    refused("a wildcard in capitals", "https://*.Relay.dev", 'write "https://*.relay.dev"'),
  ]);

  // The public suffix list: registries, companies that hand out names (its private section), and its wildcard rules.
  itRefuses(
    [
      ...["com", "co.uk", "xn--p1ai", "localhost", "internal"],
      ...[
        "vercel.app",
        "github.io",
        "netlify.app",
        "pages.dev",
        "amplifyapp.com",
        "cloudfront.net",
        "s3.amazonaws.com",
      ],
      ...["kawasaki.jp", "compute.amazonaws.com", "ck", "vercel.app."],
    ].map((suffix) =>
      refused(`a wildcard before ${suffix}`, `https://*.${suffix}`, `names under ${suffix} belong to different owners`),
    ),
  );

  it("advises nothing that is refused in its turn", () => {
    for (const origin of [
      "*",
      "https://*",
      "app.relay.dev",
      "https://App.example.com/x",
      "ws://a.test",
      "https://*.com/",
    ]) {
      const { reason } = problemOf({ auth, allowedOrigins: [origin] });
      const advice = reason.split("Fix: ")[1];
      expect(advice).to.be.a("string");
      expect(advice).not.to.match(/write |example|your-domain/);
    }
  });

  itRefuses([
    ["one origin that is no list", { allowedOrigins: "https://a.dev" }, "allowedOrigins", ['write ["https://a.dev"]']],
    ["every origin that is no list", { allowedOrigins: "*" }, "allowedOrigins", ["list the origin of each page"]],
    ["an object for a list", { allowedOrigins: {} }, "allowedOrigins", ["a list of origins"]],
  ]);

  it("is checked as soon as it is known", async () => {
    const later = (value: unknown) => valueOf(checkedOrigins(pulumi.output(value) as pulumi.Output<string[]>));
    expect(await later(["https://*.relay.dev", "capacitor://localhost"])).to.have.lengthOf(2);
    expect(await valueOf(checkedOrigins([pulumi.output("file://")]))).to.deep.equal(["file://"]);
    expect((await refusal(later(["https://*.vercel.app"]))).message).to.include("allowedOrigins[0]");
    expect((await refusal(valueOf(checkedOrigins([pulumi.output("*")])))).message).to.include("allowedOrigins[0]");
    expect((await refusal(later("https://a.dev"))).message).to.include('write ["https://a.dev"]');
  });

  it("allows every origin by the null that a program writes, never by an output that turns out to be nothing", async () => {
    expect(await valueOf(checkedOrigins(null))).to.equal(null);
    for (const nothing of [null, undefined]) {
      const output = pulumi.output(nothing) as unknown as pulumi.Output<string[]>;
      expect((await refusal(valueOf(checkedOrigins(output)))).message).to.include("a list of origins");
    }
  });
});
