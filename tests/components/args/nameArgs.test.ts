import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { CallbackFunction, WebsocketRelay, type WebsocketRelayArgs } from "../../../components";
import { record, type Registration } from "../../support/recorder";
import { auth } from "../../support/relayRun";

const { getStore } = require("@pulumi/pulumi/runtime/state") as { getStore: () => { callbacks?: object } };

/** What Pulumi appends where a resource is given no name. */
const randomSuffix = "-1234567";

/** The longest name, `.fifo` included, and the characters of each type that has one, as AWS takes them. */
const limits: Record<string, [maxLength: number, characters: RegExp]> = {
  "aws:apigatewayv2/api:Api": [128, /^.+$/],
  "aws:cloudwatch/dashboard:Dashboard": [255, /^[\w-]+$/],
  "aws:cloudwatch/eventRule:EventRule": [64, /^[\w.-]+$/],
  "aws:cloudwatch/logGroup:LogGroup": [512, /^[\w./#-]+$/],
  "aws:cloudwatch/metricAlarm:MetricAlarm": [255, /^.+$/],
  "aws:dynamodb/table:Table": [255, /^[\w.-]{3,}$/],
  "aws:iam/role:Role": [64, /^[\w+=,.@-]+$/],
  "aws:iam/rolePolicy:RolePolicy": [128, /^[\w+=,.@-]+$/],
  "aws:lambda/function:Function": [64, /^[\w-]+$/],
  // Its statement's id.
  "aws:lambda/permission:Permission": [100, /^[\w-]+$/],
  "aws:sns/topic:Topic": [256, /^[\w-]+(\.fifo)?$/],
  "aws:sqs/queue:Queue": [80, /^[\w-]+(\.fifo)?$/],
};

/** Types that have no name at AWS, or one that has nothing to do with the relay's. */
const nameless =
  /^(websocket-relay|pulumi|aws:apigateway\/account|aws:apigatewayv2\/(apiMapping|deployment|domainName|integration|integrationResponse|route|routeResponse|stage)|aws:cloudwatch\/eventTarget|aws:lambda\/(eventSourceMapping|functionEventInvokeConfig)|aws:route53\/record|aws:sns\/topicPolicy|aws:sns\/topicSubscription|aws:sqs\/queuePolicy):/;

/** The name that AWS gets for a registration, where it gets one. */
function physicalName({ name, inputs }: Registration): string {
  const given = inputs.name ?? inputs.dashboardName;
  const isFifo = inputs.fifoQueue === true || inputs.fifoTopic === true;
  return typeof given === "string" ? given : `${name}${randomSuffix}${isFifo ? ".fifo" : ""}`;
}

function limitOf({ type, name }: Registration): [maxLength: number, characters: RegExp] | undefined {
  if (nameless.test(type)) return undefined;
  const limit = limits[type];
  if (!limit) throw new Error(`what AWS takes as the name of ${name}, a ${type}, is not known`);
  return limit;
}

const certificateArn = "arn:aws:acm:eu-west-1:210987654321:certificate/abc";
const everything: Partial<WebsocketRelayArgs> = {
  auth: { ...auth, endSessionWithToken: true },
  customDomain: { domainName: "ws.relay.dev", certificateArn, hostedZoneId: "Z1" },
  publisherAccountIds: ["210987654321"],
  ipAddressType: "dualstack",
};
const variants: [what: string, args: Partial<WebsocketRelayArgs>, longest: number][] = [
  ["retry", {}, 40],
  ["retry with all that goes with it", everything, 40],
  ["retry with the role of access logs", { ...everything, gatewayLogs: { accountRole: "create" } }, 39],
  ["retry unwatched", { alarms: { enabled: false }, dashboard: false }, 40],
  ["replay", { delivery: "replay" }, 39],
  [
    "replay with all that goes with it",
    { ...everything, delivery: "replay", receipts: true, gatewayLogs: { accountRole: "create" } },
    39,
  ],
  ["strict order", { delivery: "replay", ordering: "strict", receipts: true }, 36],
];

const refusalOf = (create: () => unknown): string => {
  try {
    create();
  } catch (error) {
    if (pulumi.InputPropertyError.isInstance(error)) return `${error.propertyPath}|${error.reason}`;
    throw error;
  }
  return "";
};

/** What is refused of a relay of that name, and what was registered of it. */
async function relay(name: unknown, args: Partial<WebsocketRelayArgs> = {}, opts?: pulumi.ComponentResourceOptions) {
  let refusal = "";
  const { registrations, errors } = await record(() => {
    refusal = refusalOf(() => new WebsocketRelay(name as string, { auth, ...args }, opts));
  });
  expect(errors).to.deep.equal([]);
  return { refusal, registrations };
}

describe("a relay's name", () => {
  for (const [what, args, longest] of variants) {
    describe(`in ${what}`, () => {
      let registrations: Registration[];

      before(async () => {
        const accepted = await relay("n".repeat(longest), args);
        expect(accepted.refusal).to.equal("");
        registrations = accepted.registrations;
      });

      it(`may have ${longest} characters, of which AWS takes every derived name`, () => {
        expect(registrations).to.have.length.above(30);
        for (const registration of registrations) {
          const [maxLength, characters] = limitOf(registration) ?? [Infinity, /^/];
          const name = physicalName(registration);
          expect(name.length, `${registration.type} ${name}`).to.be.at.most(maxLength);
          expect(name, registration.type).to.match(characters);
        }
      });

      it("is refused with one character more, with which a derived name would be too long, before anything is registered", async () => {
        const tooLong = await relay("n".repeat(longest + 1), args);
        expect(tooLong.registrations).to.deep.equal([]);
        expect(tooLong.refusal)
          .to.match(/^name\|name: got "n+"/)
          .and.include(`up to ${longest} characters`);
        const full = registrations.filter((each) => limitOf(each)?.[0] === physicalName(each).length).map(physicalName);
        expect(full.filter((name) => tooLong.refusal.includes(` n${name} `))).to.have.lengthOf(1);
      });
    });
  }

  const unusable: [name: unknown, says: string][] = [
    ["My Relay", 'write "My-Relay"'],
    ["relay.v1", "SQS queue relay.v1-queue-1234567"],
    ["chat/7", 'write "chat-7"'],
    ["relé", "letters, digits, - and _"],
    ["!", 'write "relay"'],
    ["", 'got ""'],
    [" relay", 'got " relay"'],
    [undefined, "got undefined"],
    [null, "got null"],
    [7, "got 7"],
    [pulumi.output("relay"), 'got "an output"'],
    [{ auth }, "pass one as the first argument"],
  ];
  for (const [name, says] of unusable) {
    it(`is refused where it is ${pulumi.Output.isInstance(name) ? "an output" : JSON.stringify(name)}`, async () => {
      const { refusal, registrations } = await relay(name);
      expect(refusal)
        .to.match(/^name\|name: got .*; allowed: .*\. Fix: /)
        .and.include(says);
      expect(registrations).to.deep.equal([]);
    });
  }

  it("may be what resources' names are made of: letters, digits, hyphens and underscores", async () => {
    expect((await relay("My_Relay-2")).refusal).to.equal("");
  });

  describe("in a project and a stack with long names", () => {
    const inStack = async (stack: string, args: Partial<WebsocketRelayArgs> = {}) => {
      let refusal = "";
      await record(() => {
        // Of the recorder's stack nothing is registered yet.
        void pulumi.runtime.setMocks(
          { newResource: () => ({ id: "", state: {} }), call: () => ({}) },
          "p".repeat(100),
          stack,
        );
        refusal = refusalOf(() => new WebsocketRelay("n".repeat(39), { auth, maxAttempts: 66, ...args }));
      });
      return refusal;
    };

    it("is refused where an alarm's name would be too long", async () => {
      const refusal = await inStack("s".repeat(100));
      expect(refusal)
        .to.include("up to 27 characters")
        .and.include("the CloudWatch alarm p")
        .and.include("AWS allows 255");
    });

    it("is not where there are no alarms", async () => {
      expect(await inStack("s".repeat(100), { alarms: { enabled: false } })).to.equal("");
    });
  });

  describe("that is too long and of other characters", () => {
    const name = `My Relay ${"n".repeat(50)}`;
    const unchanged = () => undefined;
    const parentWith = (opts: pulumi.ComponentResourceOptions) =>
      new pulumi.ComponentResource("a:b:Parent", "p", {}, opts);

    const naming: [what: string, relayOf: () => unknown][] = [
      [
        "pulumi:autonaming may name",
        () => {
          pulumi.runtime.setAllConfig({ "pulumi:autonaming": '{"mode":"verbatim"}' });
          return new WebsocketRelay(name, { auth });
        },
      ],
      ["its transforms may name", () => new WebsocketRelay(name, { auth }, { transforms: [unchanged] })],
      ["its transformations may name", () => new WebsocketRelay(name, { auth }, { transformations: [unchanged] })],
      [
        "its parent's transformations may name",
        () => new WebsocketRelay(name, { auth }, { parent: parentWith({ transformations: [unchanged] }) }),
      ],
      [
        "the stack's transforms may name",
        () => {
          const store = getStore();
          store.callbacks = {};
          try {
            return new WebsocketRelay(name, { auth });
          } finally {
            store.callbacks = undefined;
          }
        },
      ],
    ];

    afterEach(() => pulumi.runtime.setAllConfig({}));

    for (const [what, relayOf] of naming) {
      it(`is accepted where ${what} the resources`, async () => {
        let refusal = "not tried";
        await record(() => (refusal = refusalOf(relayOf)));
        expect(refusal).to.equal("");
      });
    }

    it("is warned of in another component, whose transforms are not known", async () => {
      const warned: unknown[] = [];
      const { warn } = console;
      let refusal = "not tried";
      await record(() => {
        const parent = parentWith({});
        console.warn = (...parts) => warned.push(...parts);
        try {
          refusal = refusalOf(() => new WebsocketRelay(name, { auth }, { parent }));
        } finally {
          console.warn = warn;
        }
      });
      expect(refusal).to.equal("");
      expect(warned.join()).to.include('name: got "My Relay n').and.include("Fix: write");
    });
  });
});

describe("a function's name", () => {
  const args = {
    callbackFactory: () => () => 1,
    environment: {},
    policyStatements: [],
    timeoutSeconds: 1,
    logRetentionInDays: 1,
  };
  const refusalOfName = async (name: string) => {
    let refusal = "";
    const { registrations } = await record(() => {
      refusal = refusalOf(() => new CallbackFunction(name, args));
    });
    return { refusal, registrations };
  };

  it("may have 51 characters, of which AWS takes every derived name", async () => {
    const { refusal, registrations } = await refusalOfName("f".repeat(51));
    expect(refusal).to.equal("");
    const spare = registrations.map((each) => (limitOf(each)?.[0] ?? Infinity) - physicalName(each).length);
    expect(Math.min(...spare)).to.equal(0);
  });

  it("is refused with one character more, with others, and without any", async () => {
    expect((await refusalOfName("f".repeat(52))).refusal)
      .to.include("up to 51 characters")
      .and.include("the IAM role");
    expect((await refusalOfName("my fn")).refusal)
      .to.include('write "my-fn"')
      .and.include("the Lambda function");
    expect((await refusalOfName("")).refusal).to.include('got ""');
  });
});
