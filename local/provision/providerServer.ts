import { isDeepStrictEqual } from "node:util";
import * as grpc from "@grpc/grpc-js";
import { PluginInfo } from "@pulumi/pulumi/proto/plugin_pb";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as messages from "@pulumi/pulumi/proto/provider_pb";
import { specialArchiveSig, specialAssetSig, specialSigKey } from "@pulumi/pulumi/runtime/rpc";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { type JavaScriptValue, Struct } from "google-protobuf/google/protobuf/struct_pb";
import type { Provisioner } from "./provisioner";
import type { Properties } from "./resource";

const { version } = require("@pulumi/aws/package.json") as { version: string };

/**
 * The second front of the provisioner: a resource provider in the place of `aws`, to which the real CLI attaches by
 * `PULUMI_DEBUG_PROVIDERS=aws:PORT`. https://www.pulumi.com/docs/iac/guides/building-extending/providers/implementers/
 *
 * Its own methods over the SDK's protocol: the SDK's server for them hides the old inputs from `diff`, knows no previews,
 * and catches every uncaught error of the process for good.
 */
export class ProviderServer {
  private constructor(
    private readonly server: grpc.Server,
    /** On 127.0.0.1. */
    readonly port: number,
  ) {}

  static async start(provisioner: ProvisionerLike): Promise<ProviderServer> {
    // A function's code may be larger than the 4 MB that gRPC takes by default.
    const server = new grpc.Server({ "grpc.max_receive_message_length": -1 });
    server.addService(ResourceProviderService, methods(provisioner));
    const port = await new Promise<number>((resolve, reject) => {
      const credentials = grpc.ServerCredentials.createInsecure();
      server.bindAsync("127.0.0.1:0", credentials, (error, bound) => (error ? reject(error) : resolve(bound)));
    });
    return new ProviderServer(server, port);
  }

  /** Ends the calls under way, too: an engine that was killed would keep them open. */
  close(): Promise<void> {
    this.server.forceShutdown();
    return Promise.resolve();
  }
}

export type ProvisionerLike = Pick<
  Provisioner,
  "check" | "create" | "update" | "delete" | "read" | "replaces" | "call" | "computedInputs"
>;

/** gRPC answers the methods that are missing here (schema, construct, call, …) as unimplemented, which the engine accepts. */
function methods(provisioner: ProvisionerLike): grpc.UntypedServiceImplementation {
  const existing = new Existing();

  return {
    attach: answer(() => new Empty()),
    cancel: answer(() => new Empty()),
    // The engine warns of a provider that is older than the program's SDK.
    getPluginInfo: answer(() => new PluginInfo().setVersion(version)),

    // Secrets are not accepted: the engine unwraps them, and marks as secret again what it gets back.
    configure: answer(() => new messages.ConfigureResponse().setSupportspreview(true)),

    invoke: answer(async (request: messages.InvokeRequest) => {
      const answered = await provisioner.call(request.getTok(), properties(request.getArgs()));
      return new messages.InvokeResponse().setReturn(struct(answered));
    }),

    check: answer((request: messages.CheckRequest) => {
      const { type, name } = parseUrn(request.getUrn());
      // In the preview, before anything has been created.
      provisioner.check(type, name, properties(request.getNews()));
      return new messages.CheckResponse().setInputs(request.getNews());
    }),

    diff: answer((request: messages.DiffRequest) => {
      const { type, name } = parseUrn(request.getUrn());
      const olds = properties(request.getOldInputs());
      const news = properties(request.getNews());
      const changed = changedKeys(olds, news);
      const replaces = changed.length > 0 ? provisioner.replaces(type, name, changed) : [];
      const { DIFF_NONE, DIFF_SOME } = messages.DiffResponse.DiffChanges;
      return (
        new messages.DiffResponse()
          .setChanges(changed.length > 0 ? DIFF_SOME : DIFF_NONE)
          .setDiffsList(changed)
          .setReplacesList(replaces)
          // Two of the same name cannot exist side by side; where the program gives none, each gets its own.
          .setDeletebeforereplace(replaces.length > 0 && typeof news.name === "string" && news.name === olds.name)
      );
    }),

    create: answer(async (request: messages.CreateRequest) => {
      const inputs = properties(request.getProperties());
      // Outputs that are missing from a preview's answer are unknown to the program.
      const { type, name } = parseUrn(request.getUrn());
      if (request.getPreview()) {
        const known = without(inputs, provisioner.computedInputs(type, name));
        return new messages.CreateResponse().setProperties(struct(known));
      }
      const { id, outputs } = await provisioner.create(type, name, inputs);
      existing.add(type, id);
      return new messages.CreateResponse().setId(id).setProperties(struct(outputs));
    }),

    update: answer(async (request: messages.UpdateRequest) => {
      const { type, name } = parseUrn(request.getUrn());
      const olds = properties(request.getOlds());
      const news = properties(request.getNews());
      const outputs = request.getPreview()
        ? {
            ...without(olds, Object.keys(properties(request.getOldInputs()))),
            ...without(news, provisioner.computedInputs(type, name)),
          }
        : await provisioner.update(type, name, request.getId(), news, olds);
      return new messages.UpdateResponse().setProperties(struct(outputs));
    }),

    // Without an id it is gone. A part that cannot be asked for its state is as it was left.
    read: answer(async (request: messages.ReadRequest) => {
      const { type, name } = parseUrn(request.getUrn());
      const id = request.getId();
      const state = await provisioner.read(type, name, id);
      if (!state && !existing.has(type, id)) return new messages.ReadResponse();
      return new messages.ReadResponse()
        .setId(id)
        .setProperties(struct({ ...state, ...properties(request.getProperties()) }))
        .setInputs(request.getInputs());
    }),

    delete: answer(async (request: messages.DeleteRequest) => {
      const { type, name } = parseUrn(request.getUrn());
      const id = request.getId();
      // A stack may outlive the local parts, so a resource that no longer exists counts as deleted.
      if (existing.has(type, id)) {
        await provisioner.delete(type, name, id, properties(request.getProperties()));
        existing.remove(type, id);
      }
      return new Empty();
    }),
  };
}

/** The resources that this server has created and not deleted. An id may occur twice: a stage's, on an API and on its replacement. */
class Existing {
  private readonly keys: string[] = [];

  add(type: string, id: string): void {
    this.keys.push(`${type} ${id}`);
  }

  remove(type: string, id: string): void {
    this.keys.splice(this.keys.indexOf(`${type} ${id}`), 1);
  }

  has(type: string, id: string): boolean {
    return this.keys.includes(`${type} ${id}`);
  }
}

/** The engine shows an error's message to the user. */
function answer<Request, Response>(
  method: (request: Request) => Response | Promise<Response>,
): grpc.handleUnaryCall<Request, Response> {
  return ({ request }, callback) => {
    Promise.resolve(request)
      .then(method)
      .then(
        (response) => callback(null, response),
        (error: Error) => callback({ code: grpc.status.UNKNOWN, details: error.message }),
      );
  };
}

/** `urn:pulumi:{stack}::{project}::{types of the parents}${type}::{name}`; a name may itself contain `::`. */
function parseUrn(urn: string): { type: string; name: string } {
  const [, , types = "", ...name] = urn.split("::");
  return { type: types.slice(types.lastIndexOf("$") + 1), name: name.join("::") };
}

function changedKeys(olds: Properties, news: Properties): string[] {
  const keys = [...new Set([...Object.keys(olds), ...Object.keys(news)])];
  return keys.filter((key) => !isDeepStrictEqual(comparable(olds[key]), comparable(news[key])));
}

/** Assets and archives as their hashes: the engine keeps the contents out of a state at times, and adds empty fields. */
function comparable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(comparable);
  if (typeof value !== "object" || value === null) return value;
  const fields = value as Properties;
  const signature = fields[specialSigKey];
  if ((signature === specialAssetSig || signature === specialArchiveSig) && fields.hash) {
    return { signature, hash: fields.hash };
  }
  return Object.fromEntries(Object.entries(fields).map(([key, inner]) => [key, comparable(inner)]));
}

function without(fields: Properties, keys: readonly string[]): Properties {
  return Object.fromEntries(Object.entries(fields).filter(([key]) => !keys.includes(key)));
}

function properties(message: Struct | undefined): Properties {
  return message?.toJavaScript() ?? {};
}

/** Through JSON, which leaves out undefined values: the protocol has none. */
function struct(fields: Properties): Struct {
  return Struct.fromJavaScript(JSON.parse(JSON.stringify(fields)) as Record<string, JavaScriptValue>);
}
