import { createSecretKey } from "node:crypto";
import { EventEmitter } from "node:events";
import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { CallbackFunction } from "../../components";
import { bundleCallback } from "../../components/lambda/bundle";
import { refusingLostCaptures } from "../../components/lambda/lostCaptures";
import { record } from "../support/recorder";
import { refusal } from "../support/refusal";

class Point {
  constructor(
    readonly x: number,
    readonly y: number,
  ) {}
  sum() {
    return this.x + this.y;
  }
}
class WithField {
  n = 7;
  get() {
    return this.n;
  }
}
class Derived extends WithField {}
class Private {
  #n = 7;
  get() {
    return this.#n;
  }
}
class OwnError extends Error {}
class OwnMap extends Map<string, number> {}
class OwnTarget extends EventTarget {}

const text = "text";
const number = 0.5;
const negativeZero = -0;
const big = 10n;
const nothing = { isNull: null, isUndefined: undefined, isNaN: NaN };
const list = [1, [2, "3"], { four: 4 }];
const sparse = [1, , 3];
const object = { deep: { er: ["value"] }, "a key": true };
const withoutPrototype = Object.assign(Object.create(null) as object, { a: 1 });
const withGetter = {
  get five() {
    return 5;
  },
};
const pattern = /^a+$/gi;
const promise = Promise.resolve([1]);
const error = new RangeError("out of range");
const point = new Point(1, 2);
const withField = new WithField();
const now = Date.now;
const parse = JSON.parse;
const { env } = process;
const iterator = Symbol.iterator;
const classify = { classify: (n: number) => n + 1 };
const twice = (n: number) => 2 * n;
const fourTimes = (n: number) => twice(twice(n));
function* counting() {
  yield* [1, 2];
}

const accepted: [what: string, callback: () => unknown][] = [
  ["a text", () => text],
  ["numbers", () => [number, Object.is(negativeZero, -0)]],
  ["a bigint", () => String(big)],
  ["null, undefined and NaN", () => [nothing.isNull, nothing.isUndefined, Number.isNaN(nothing.isNaN)]],
  ["a list", () => list],
  ["a sparse list", () => [sparse.length, 1 in sparse]],
  ["an object", () => JSON.stringify(object)],
  ["an object without a prototype", () => Object.getPrototypeOf(withoutPrototype) === null],
  ["a getter", () => withGetter.five],
  ["a regular expression", () => ["AA".match(pattern), pattern.source, pattern.flags]],
  ["a promise", () => promise],
  ["an object of a class", () => [point.sum(), point instanceof Point]],
  ["a class whose constructor sets its fields", () => new Point(3, 4).sum()],
  ["an object of a class with fields", () => withField.get()],
  ["a built-in function", () => [typeof now(), parse("[1]")]],
  ["process.env", () => typeof env.PATH],
  ["the symbol of iterables", () => [...({ [iterator]: () => [1, 2].values() } as unknown as number[])]],
  ["a method whose name begins as a class does", () => classify.classify(1)],
  ["functions that capture functions", () => fourTimes(3)],
  ["a generator function", () => [...counting()]],
];

const date = new Date(0);
const set = new Set([1]);
const map = new Map([["a", 1]]);
const ownMap = new OwnMap();
const weakMap = new WeakMap();
const weakSet = new WeakSet();
const weakRef = new WeakRef({});
const buffer = Buffer.from("x");
const bytes = new Uint8Array(1);
const floats = new Float64Array(1);
const arrayBuffer = new ArrayBuffer(1);
const shared = new SharedArrayBuffer(1);
const view = new DataView(arrayBuffer);
const query = new URLSearchParams("a=1");
const url = new URL("https://a.dev");
const headers = new Headers();
const encoder = new TextEncoder();
const abort = new AbortController();
const blob = new Blob(["x"]);
const format = new Intl.NumberFormat("en");
const boxed = new String("x");
const registered = Symbol.for("x");
const unique = Symbol("x");
const asyncIterator = Symbol.asyncIterator;
const proxy = new Proxy({ a: 1 }, {});
const generated = counting();
const bound = function (this: { n: number }) {
  return this.n;
}.bind({ n: 1 });
const emitter = new EventEmitter();
const key = createSecretKey(Buffer.from("x"));
const withSymbolKey = { [Symbol.for("k")]: 1 };
const privates = new Private();
const ownError = new OwnError("own");
const settings = { allowed: { users: new Set(["42"]) }, "by id": [{}, { at: date }] };
const later = pulumi.output({ n: 1 }).apply(() => new Date(0));
const find = (id: string) => settings.allowed.users.has(id);

const refused: [what: string, callback: () => unknown, named: string][] = [
  ["a Date", () => date.getTime(), "date, a Date:"],
  ["a Set", () => set.has(1), "set, a Set:"],
  ["a Map", () => map.get("a"), "map, a Map:"],
  ["a Map of one's own", () => ownMap.get("a"), "ownMap, a Map:"],
  ["a WeakMap", () => weakMap.has({}), "weakMap, a WeakMap:"],
  ["a WeakSet", () => weakSet.has({}), "weakSet, a WeakSet:"],
  ["a WeakRef", () => weakRef.deref(), "weakRef, a WeakRef:"],
  ["a Buffer", () => buffer.toString(), "buffer, a Buffer:"],
  ["a Uint8Array", () => bytes.length, "bytes, a Uint8Array:"],
  ["a Float64Array", () => floats[0], "floats, a Float64Array:"],
  ["an ArrayBuffer", () => arrayBuffer.byteLength, "arrayBuffer, an ArrayBuffer:"],
  ["a SharedArrayBuffer", () => shared.byteLength, "shared, a SharedArrayBuffer:"],
  ["a DataView", () => view.getInt8(0), "view, a DataView:"],
  ["a URLSearchParams", () => query.get("a"), "query, a URLSearchParams:"],
  ["a URL", () => url.href, "url, a URL:"],
  ["Headers", () => headers.get("a"), "headers, a Headers:"],
  ["a TextEncoder", () => encoder.encode("a"), "encoder, a TextEncoder:"],
  ["an AbortController", () => abort.signal, "abort, an AbortController:"],
  ["a Blob", () => blob.size, "blob, a Blob:"],
  ["a formatter of Intl", () => format.format(1), "format, a NumberFormat:"],
  ["a boxed string", () => `${boxed}`, "boxed, a String:"],
  ["a registered symbol", () => registered, "registered, a symbol:"],
  ["a symbol", () => unique, "unique, a symbol:"],
  ["the symbol of asynchronous iterables", () => asyncIterator, "asyncIterator, a symbol:"],
  ["a symbol as key", () => JSON.stringify(withSymbolKey), "withSymbolKey[Symbol(k)], a symbol:"],
  ["a Proxy", () => proxy.a, "proxy, a Proxy:"],
  ["what a generator is at", () => generated.next(), "generated, a generator's iterator:"],
  ["a bound function", () => bound(), "bound, a bound function:"],
  ["an object of a class with #private members", () => privates.get(), "privates, which has #private members:"],
  ["a class with #private members", () => new Private().get(), "Private, which has #private members:"],
  ["a class with fields", () => new WithField().get(), "WithField, a class with fields:"],
  ["a class that inherits fields", () => new Derived().get(), "Derived's base class, a class with fields:"],
  ["an error class", () => new OwnError("x"), "OwnError, which extends Error:"],
  ["an error", () => error.message, "error, an error (RangeError):"],
  ["an object of an error class", () => String(ownError), "ownError, an error (OwnError):"],
  ["a class that extends Map", () => new OwnMap(), "OwnMap, which extends Map:"],
  ["a class that extends EventTarget", () => new OwnTarget(), "OwnTarget, which extends EventTarget:"],
  ["an event emitter", () => emitter.listenerCount("x"), "emitter[Symbol("],
  // What of it comes first differs between versions of Node.
  ["a key", () => key.type, ""],
  ["a Set in an object", () => settings.allowed.users.size, "settings.allowed.users, a Set:"],
  ["a Date in a list in an object", () => settings["by id"][1], 'settings["by id"][1].at, a Date:'],
  ["a Set that a function captures", () => find("42"), "settings.allowed.users, captured by find, a Set:"],
  ["a Date in an output", () => later.get(), "later, a Date:"],
];

describe("what a callback captures", () => {
  for (const [what, callback] of accepted) {
    it(`is at run time what it is here, where it is ${what}`, async () => {
      const handler = handlerOf(await bundleCallback(callback));
      expect(await handler()).to.deep.equal(await callback());
    });
  }

  for (const [what, callback, named] of refused) {
    it(`is refused where it is ${what}`, async () => {
      const { message } = await refusal(bundleCallback(callback));
      expect(message)
        .to.include(`a callback captures ${named}`)
        .and.match(/Fix: (create|require|call) .*inside/);
    });
  }

  it("is not refused for error classes that Pulumi's own objects reach", async () => {
    const config = new pulumi.Config("own");
    const callback = () => config.get("limit");
    const { text } = await refusingLostCaptures(callback, (serialize) =>
      pulumi.runtime.serializeFunction(callback, { serialize }),
    );
    expect(text).to.include("ConfigEnumError");
  });

  it("is refused of a factory's handler, too", async () => {
    const callbackFactory = () => () => set.has(1);
    const args = { callbackFactory, environment: {}, policyStatements: [], timeoutSeconds: 1, logRetentionInDays: 1 };
    const { errors, registrations } = await record(() => new CallbackFunction("own", args));
    expect(errors.map(({ message }) => message).join()).to.include("a callback captures set, a Set:");
    expect(registrations.map(({ type }) => type)).not.to.include("aws:lambda/function:Function");
  });

  it("may have a part that could not be copied, where the callback uses another", async () => {
    const mixed = { limit: 3, users: set };
    expect(handlerOf(await bundleCallback(() => mixed.limit))()).to.equal(3);
  });
});

function handlerOf(text: string): () => unknown {
  const module = { exports: {} as { handler?: () => unknown } };
  new Function("module", "exports", "require", text)(module, module.exports, require);
  if (!module.exports.handler) throw new Error("the bundle exports no handler");
  return module.exports.handler;
}
