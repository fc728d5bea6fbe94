import Fastify, { type FastifyInstance } from "fastify";
import type { LocalCloud } from "../cloud";
import { foreignRequest } from "./foreignRequest";
import type { PolicyEntry } from "../iam/policies";
import { PageRoutes, type ServedRelay } from "./pageRoutes";

const managementStatuses = [410, 429, 500] as const;
const handlers = ["connect", "disconnect", "deliver", "resume", "acknowledge", "flush", "expire"] as const;

type Fault =
  | { management: (typeof managementStatuses)[number]; times: number }
  | { jwks: "down" | "up" }
  | { crash: (typeof handlers)[number]; times: number }
  | { table: "hold-answers" | "release"; after?: number }
  | { disconnects: "lose" | "deliver"; times?: number };

/** The server that injects network and cloud faults, and serves the page, on a port of 127.0.0.1. */
export class Control {
  private constructor(
    readonly url: string,
    private readonly app: FastifyInstance,
    private readonly page: PageRoutes,
  ) {}

  static async start(cloud: LocalCloud): Promise<Control> {
    const app = Fastify({ forceCloseConnections: true });
    app.addHook("onRequest", async (request, reply) => {
      const message = foreignRequest(request);
      if (message !== undefined) return reply.code(403).send({ message });
    });

    // Whatever curl or a library calls the body, it is JSON; and a POST without one may still say that it has some.
    app.removeAllContentTypeParsers();
    app.addContentTypeParser("*", { parseAs: "string" }, (_request, body, done) => {
      try {
        done(null, body === "" ? undefined : JSON.parse(body as string));
      } catch {
        // Refused below, with the allowed values.
        done(null, body);
      }
    });

    app.get("/connections", () => cloud.gateways.connections());
    app.get("/metrics", () => cloud.metrics.all());
    for (const [path, act] of [
      ["half-open", (id: string) => cloud.gateways.halfOpen(id)],
      ["drop", (id: string) => cloud.gateways.drop(id)],
    ] as const) {
      app.post<{ Params: { id: string } }>(`/connections/:id/${path}`, async ({ params: { id } }, reply) => {
        const found = act(id);
        const message = `no open connection has the id ${id}: GET /connections lists them`;
        return found ? reply.code(204).send() : reply.code(404).send({ message });
      });
    }

    app.get("/authorizations", () => cloud.iam.authorizations.all());
    app.get("/policies", () => cloud.iam.policies.policies());
    app.put("/policies", async ({ body }, reply) => {
      const { of, name, document } = (body ?? {}) as Partial<PolicyEntry>;
      if (of === undefined || typeof document !== "object") {
        const message = `got ${JSON.stringify(body)}; allowed: JSON with of, name (a role's), and document, null for none`;
        return reply.code(400).send({ message });
      }
      const found = cloud.iam.policies.setPolicy(of, name, document === null ? undefined : JSON.stringify(document));
      const message = `nothing that has such a policy is ${of}: GET /policies lists them`;
      return found ? reply.code(204).send() : reply.code(404).send({ message });
    });

    app.get("/rules", () => cloud.eventRules.names());
    app.post<{ Params: { name: string } }>("/rules/:name/run", async ({ params: { name } }, reply) => {
      if (!cloud.eventRules.has(name)) {
        return reply.code(404).send({ message: `no scheduled rule is called ${name}: GET /rules lists them` });
      }
      await cloud.eventRules.run(name);
      return reply.code(204).send();
    });

    app.post("/faults", async ({ body }, reply) => {
      const fault = body as Fault;
      const problem = problemOf(fault);
      if (problem !== undefined) {
        return reply.code(400).send({ message: problem });
      }
      if (provoke(cloud, fault)) return reply.code(204).send();
      const message = `the program has no function that could crash for ${JSON.stringify(fault)}`;
      return reply.code(404).send({ message });
    });

    const page = await PageRoutes.add(app, cloud);
    const url = await app.listen({ port: 0, host: "127.0.0.1" });
    return new Control(url, app, page);
  }

  /** The program's resources: from now on the page can connect and publish. */
  serve(relay: ServedRelay): void {
    this.page.serve(relay);
  }

  async close(): Promise<void> {
    this.page.end();
    await this.app.close();
  }
}

/** False if the target of the fault does not exist. */
function provoke(cloud: LocalCloud, fault: Fault): boolean {
  if ("management" in fault) {
    cloud.gateways.injectManagementFault(fault.management, fault.times);
  } else if ("jwks" in fault) {
    cloud.issuer.setJwks(fault.jwks);
  } else if ("crash" in fault) {
    const { crash, times } = fault;
    // Physical names are the program's, with a suffix: relay-deliver-03f9843.
    const names = cloud.lambda.functionNames().filter((name) => new RegExp(`(^|-)${crash}-[0-9a-f]{7}$`).test(name));
    names.forEach((name) => cloud.lambda.crashNext(name, times));
    return names.length > 0;
  } else if ("table" in fault) {
    if (fault.table === "release") {
      cloud.tables.releaseAnswers();
    } else {
      cloud.tables.holdAnswers(fault.after);
    }
  } else if (fault.times !== undefined) {
    cloud.gateways.loseNextDisconnects(fault.times);
  } else {
    cloud.gateways.loseDisconnects = fault.disconnects === "lose";
  }
  return true;
}

/** The reason to refuse a fault, so that no test relies on a fault that was never injected. */
function problemOf(fault: unknown): string | undefined {
  const allowed: Record<string, readonly unknown[]> = {
    management: managementStatuses,
    crash: handlers,
    jwks: ["down", "up"],
    table: ["hold-answers", "release"],
    disconnects: ["lose", "deliver"],
  };
  const { times, after, ...kinds } = (typeof fault === "object" && fault !== null ? fault : {}) as Record<
    string,
    unknown
  >;
  const [kind, ...others] = Object.keys(kinds);
  if (kind === undefined || others.length > 0 || !(kind in allowed)) {
    return `got ${JSON.stringify(fault)}; allowed: JSON with one of ${Object.keys(allowed).join(", ")}`;
  }
  if (!allowed[kind]?.includes(kinds[kind])) {
    return `${kind}: got ${JSON.stringify(kinds[kind])}; allowed: ${allowed[kind]?.join(", ")}`;
  }
  const counted = kind === "management" || kind === "crash";
  if (times === undefined ? counted : !(counted || kinds[kind] === "lose")) {
    return `times: got ${JSON.stringify(times)}; allowed: with management, crash, and disconnects lose`;
  }
  if (times !== undefined && !isCount(times)) {
    return `times: got ${JSON.stringify(times)}; allowed: a whole number, 0 or more`;
  }
  if (after !== undefined && !(kinds[kind] === "hold-answers" && isCount(after))) {
    return `after: got ${JSON.stringify(after)}; allowed: a whole number, 0 or more, with hold-answers`;
  }
  return undefined;
}

function isCount(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 0;
}
