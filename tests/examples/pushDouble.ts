import { createDecipheriv, createECDH, createPublicKey, type ECDH, hkdfSync, randomBytes, verify } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";

/** What a browser gives a page that asks for notifications. */
export interface PushSubscription {
  endpoint: string;
  keys: { p256dh: string; auth: string };
}

/** A push that was accepted, as its device reads it. */
export interface Pushed {
  notification: unknown;
  ttl: string | undefined;
  /** Who sent it: the claims of its VAPID token, whose signature is right. */
  claims: { aud: string; exp: number; sub: string };
}

/**
 * A push service, and the browsers that it serves. It refuses what a real one does: a request that is not encrypted for the device
 * (RFC 8291), or that has no token of the application server to which the device subscribed (RFC 8292).
 */
export class PushDouble {
  private readonly devices = new Map<string, Device>();
  private readonly events = new EventTarget();

  private constructor(private readonly server: Server) {
    server.on("request", (request: IncomingMessage, response) => {
      this.accept(request).then(
        (status) => response.writeHead(status).end(),
        (error: unknown) => response.writeHead(400).end(String(error)),
      );
    });
  }

  static async start(): Promise<PushDouble> {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new PushDouble(server);
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** A device that has subscribed to the application server with that key. */
  subscribe(applicationServerKey: string): { subscription: PushSubscription; device: Device } {
    const path = `/push/${randomBytes(16).toString("base64url")}`;
    const device = new Device(this.events, applicationServerKey);
    this.devices.set(path, device);
    return { subscription: device.subscription(`${this.origin}${path}`), device };
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((closed) => this.server.close(closed));
  }

  /** @returns the status of the answer. https://www.rfc-editor.org/rfc/rfc8030#section-5 */
  private async accept(request: IncomingMessage): Promise<number> {
    const body = await buffer(request);
    const device = this.devices.get(request.url ?? "");
    if (!device) return 404;
    const { authorization = "", ttl, "content-encoding": encoding } = request.headers as Record<string, string>;
    if (request.method !== "POST" || ttl === undefined || encoding !== "aes128gcm") return 400;
    const claims = claimsOf(authorization, device.applicationServerKey);
    if (claims?.aud !== this.origin || claims.exp * 1000 < Date.now()) return 403;
    if (device.isGone) device.refused += 1;
    else device.received.push({ notification: JSON.parse(device.decrypt(body)), ttl, claims });
    this.events.dispatchEvent(new Event("push"));
    return device.isGone ? 410 : 201;
  }
}

/** A browser that has subscribed. */
export class Device {
  readonly received: Pushed[] = [];
  /** Whether it has ended its subscription. */
  isGone = false;
  /** Pushes since then. */
  refused = 0;
  private readonly ecdh: ECDH = createECDH("prime256v1");
  private readonly auth = randomBytes(16);

  constructor(
    private readonly events: EventTarget,
    readonly applicationServerKey: string,
  ) {
    this.ecdh.generateKeys();
  }

  subscription(endpoint: string): PushSubscription {
    const keys = { p256dh: this.ecdh.getPublicKey("base64url"), auth: this.auth.toString("base64url") };
    return { endpoint, keys };
  }

  /** Resolves when `satisfied` returns true: it is asked after each push to any device. */
  async until(satisfied: () => boolean): Promise<void> {
    while (!satisfied()) await once(this.events, "push");
  }

  /** https://www.rfc-editor.org/rfc/rfc8291#section-3.4, and https://www.rfc-editor.org/rfc/rfc8188#section-2 for one record. */
  decrypt(body: Buffer): string {
    const [salt, keyLength] = [body.subarray(0, 16), body[20] ?? 0];
    const [serverKey, sealed] = [body.subarray(21, 21 + keyLength), body.subarray(21 + keyLength)];
    const info = Buffer.concat([Buffer.from("WebPush: info\0"), this.ecdh.getPublicKey(), serverKey]);
    const secret = hkdfSync("sha256", this.ecdh.computeSecret(serverKey), this.auth, info, 32);
    const derive = (label: string, bytes: number) =>
      Buffer.from(hkdfSync("sha256", Buffer.from(secret), salt, `Content-Encoding: ${label}\0`, bytes));
    const decipher = createDecipheriv("aes-128-gcm", derive("aes128gcm", 16), derive("nonce", 12));
    decipher.setAuthTag(sealed.subarray(-16));
    const padded = Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]);
    return padded.subarray(0, padded.lastIndexOf(2)).toString();
  }
}

/** The claims of a token that the key has signed; undefined if it has not. */
function claimsOf(authorization: string, applicationServerKey: string): Pushed["claims"] | undefined {
  const [, token = "", key = ""] = /^vapid t=([^,]+), ?k=(.+)$/.exec(authorization) ?? [];
  const [header = "", payload = "", signature = ""] = token.split(".");
  if (key !== applicationServerKey) return undefined;
  const point = Buffer.from(key, "base64url");
  const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((each) => each.toString("base64url"));
  const publicKey = createPublicKey({ key: { kty: "EC", crv: "P-256", x, y }, format: "jwk" });
  const signed = Buffer.from(`${header}.${payload}`);
  const options = { key: publicKey, dsaEncoding: "ieee-p1363" } as const;
  if (!verify("sha256", signed, options, Buffer.from(signature, "base64url"))) return undefined;
  return JSON.parse(Buffer.from(payload, "base64url").toString()) as Pushed["claims"];
}
