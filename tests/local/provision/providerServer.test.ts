import { credentials } from "@grpc/grpc-js";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as messages from "@pulumi/pulumi/proto/provider_pb";
import { specialArchiveSig, specialSigKey } from "@pulumi/pulumi/runtime/rpc";
import { expect } from "chai";
import { type JavaScriptValue, Struct } from "google-protobuf/google/protobuf/struct_pb";
import { ProviderServer } from "../../../local/provision/providerServer";
import { Provisioner } from "../../../local/provision/provisioner";
import type { Properties, Registration } from "../../../local/provision/resource";

const urn = "urn:pulumi:dev::project::relay:index:Parent$test:index:Thing::some::thing";

describe("the provider server", () => {
  let things: Map<string, Registration>;
  let server: ProviderServer;
  let client: ResourceProviderClient;

  beforeEach(async () => {
    things = new Map();
    const provisioner = new Provisioner(
      {
        "test:index:Thing": {
          replaceOnChanges: ["kind"],
          create: async (registration) => {
            if (registration.inputs.kind === "refused") throw new Error("InvalidKind: refused");
            things.set("thing-1", registration);
            return { id: "thing-1", outputs: { arn: "arn:thing-1", absent: undefined } };
          },
          update: async (id, registration) => {
            things.set(id, registration);
            return { arn: "arn:thing-1" };
          },
          delete: async (id) => void things.delete(id),
          read: async (id) => (id === "theirs" ? { arn: "arn:theirs" } : undefined),
          computedInputs: ["nested"],
        },
      },
      { "test:index:getThing": ({ name }) => ({ arn: `arn:${String(name)}`, things: things.size }) },
    );
    server = await ProviderServer.start(provisioner);
    client = new ResourceProviderClient(`127.0.0.1:${server.port}`, credentials.createInsecure());
  });

  afterEach(async () => {
    client.close();
    await server.close();
  });

  it("creates under the type and name in the URN, and answers inputs and outputs", async () => {
    const response = await create({ size: 1 });

    expect(response.getId()).to.equal("thing-1");
    expect(response.getProperties()?.toJavaScript()).to.deep.equal({ size: 1, arn: "arn:thing-1" });
    expect(things.get("thing-1")).to.deep.equal({ name: "some::thing", inputs: { size: 1 } });
  });

  it("creates and updates nothing in a preview, and keeps the outputs known that were no inputs", async () => {
    await call("create", new messages.CreateRequest().setUrn(urn).setProperties(struct({})).setPreview(true));
    const request = new messages.UpdateRequest().setUrn(urn).setId("thing-1").setPreview(true);
    request.setOldInputs(struct({ size: 1, colour: "red" })).setOlds(struct({ size: 1, colour: "red", arn: "arn:1" }));
    const response = await call<messages.UpdateResponse>("update", request.setNews(struct({ size: 2 })));

    expect(response.getProperties()?.toJavaScript()).to.deep.equal({ size: 2, arn: "arn:1" });
    expect(things.size).to.equal(0);
  });

  it("hands the provisioner's error to the engine", async () => {
    expect(await failureOf(create({ kind: "refused" }))).to.equal("InvalidKind: refused");
  });

  it("refuses a type that is not known here as early as in check", async () => {
    const request = new messages.CheckRequest().setUrn("urn:pulumi:dev::project::aws:s3/bucket:Bucket::bucket");

    expect(await failureOf(call("check", request))).to.include("aws:s3/bucket:Bucket (bucket): the local run does not");
  });

  it("refuses a function that has no answer here, by its name", async () => {
    const request = new messages.InvokeRequest().setTok("aws:index/getArn:getArn");

    expect(await failureOf(call("invoke", request))).to.include("aws:index/getArn:getArn");
  });

  it("answers getPartition", async () => {
    const request = new messages.InvokeRequest().setTok("aws:index/getPartition:getPartition");
    const response = await call<messages.InvokeResponse>("invoke", request);

    expect(response.getReturn()?.toJavaScript()).to.include({ partition: "aws", dnsSuffix: "amazonaws.com" });
  });

  it("answers a function out of its arguments and what is provisioned", async () => {
    await create({});
    const request = new messages.InvokeRequest().setTok("test:index:getThing").setArgs(struct({ name: "thing-1" }));
    const response = await call<messages.InvokeResponse>("invoke", request);

    expect(response.getReturn()?.toJavaScript()).to.deep.equal({ arn: "arn:thing-1", things: 1 });
  });

  it("leaves inputs that come back changed unknown to a preview, of a creation and of an update", async () => {
    const news = struct({ size: 1, nested: { given: 1 } });
    const creation = new messages.CreateRequest().setUrn(urn).setProperties(news).setPreview(true);
    const created = await call<messages.CreateResponse>("create", creation);
    const update = new messages.UpdateRequest().setUrn(urn).setId("thing-1").setPreview(true).setNews(news);
    update.setOldInputs(struct({ nested: { given: 0 } })).setOlds(struct({ nested: { given: 0, computed: 1 } }));
    const updated = await call<messages.UpdateResponse>("update", update);

    expect(created.getProperties()?.toJavaScript()).to.deep.equal({ size: 1 });
    expect(updated.getProperties()?.toJavaScript()).to.deep.equal({ size: 1 });
  });

  it("reads for get() what it has not created itself", async () => {
    const request = new messages.ReadRequest().setUrn(urn).setId("theirs").setProperties(struct({}));
    const response = await call<messages.ReadResponse>("read", request);

    expect(response.getId()).to.equal("theirs");
    expect(response.getProperties()?.toJavaScript()).to.deep.equal({ arn: "arn:theirs" });
  });

  const archive = (hash: string, assets = {}) => ({ [specialSigKey]: specialArchiveSig, hash, assets });
  const cases: [
    what: string,
    olds: Properties,
    news: Properties,
    changed: string[],
    replaces: string[],
    first: boolean,
  ][] = [
    ["no change", { size: 1, list: [{ a: 1 }] }, { list: [{ a: 1 }], size: 1 }, [], [], false],
    ["a change deep inside", { list: [{ a: 1 }] }, { list: [{ a: 2 }] }, ["list"], [], false],
    ["an added and a removed input", { size: 1 }, { colour: "red" }, ["size", "colour"], [], false],
    ["an archive of the same hash", { code: archive("1", { a: 1 }) }, { code: archive("1") }, [], [], false],
    ["an archive of another hash", { code: archive("1") }, { code: archive("2") }, ["code"], [], false],
    ["an input that replaces", { kind: "a" }, { kind: "b" }, ["kind"], ["kind"], false],
    [
      "one that replaces, under a fixed name",
      { kind: "a", name: "n" },
      { kind: "b", name: "n" },
      ["kind"],
      ["kind"],
      true,
    ],
  ];
  for (const [what, olds, news, changed, replaces, deleteFirst] of cases) {
    it(`tells the difference: ${what}`, async () => {
      const request = new messages.DiffRequest().setUrn(urn).setId("thing-1").setNews(struct(news));
      request.setOldInputs(struct(olds)).setOlds(struct({ ...olds, arn: "arn:thing-1" }));
      const response = await call<messages.DiffResponse>("diff", request);

      const { DIFF_NONE, DIFF_SOME } = messages.DiffResponse.DiffChanges;
      expect(response.getChanges()).to.equal(changed.length > 0 ? DIFF_SOME : DIFF_NONE);
      expect(response.getDiffsList()).to.deep.equal(changed);
      expect(response.getReplacesList()).to.deep.equal(replaces);
      expect(response.getDeletebeforereplace()).to.equal(deleteFirst);
    });
  }

  it("reads what exists as it was left, and tells by an absent id what is gone", async () => {
    const request = new messages.ReadRequest()
      .setUrn(urn)
      .setId("thing-1")
      .setProperties(struct({ size: 1 }));
    await create({ size: 1 });
    const there = await call<messages.ReadResponse>("read", request);
    await remove();
    const gone = await call<messages.ReadResponse>("read", request);

    expect(there.getId()).to.equal("thing-1");
    expect(there.getProperties()?.toJavaScript()).to.deep.equal({ size: 1 });
    expect(gone.getId()).to.equal("");
  });

  it("deletes what it has created, and accepts that something is gone already", async () => {
    await create({});
    await remove();
    await remove();

    expect(things.size).to.equal(0);
  });

  function create(inputs: Properties): Promise<messages.CreateResponse> {
    return call("create", new messages.CreateRequest().setUrn(urn).setProperties(struct(inputs)));
  }

  function remove(): Promise<unknown> {
    return call("delete", new messages.DeleteRequest().setUrn(urn).setId("thing-1").setProperties(struct({})));
  }

  function call<Response>(method: keyof ResourceProviderClient, request: unknown): Promise<Response> {
    type Method = (request: unknown, callback: (error: Error | null, response: Response) => void) => void;
    return new Promise((resolve, reject) => {
      (client[method] as unknown as Method).call(client, request, (error, response) =>
        error ? reject(error) : resolve(response),
      );
    });
  }
});

async function failureOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => "it did not fail",
    (error: { details: string }) => error.details,
  );
}

function struct(fields: Properties): Struct {
  return Struct.fromJavaScript(fields as Record<string, JavaScriptValue>);
}
