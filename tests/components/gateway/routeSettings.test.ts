import { expect } from "chai";
import type { WebsocketRelayArgs } from "../../../components";
import type { Throttle } from "../../../components/args/throttleArgs";
import { type RelayRun, runRelay } from "../../support/relayRun";

const limits = (throttlingRateLimit: number, throttlingBurstLimit: number): Throttle => ({
  throttlingRateLimit,
  throttlingBurstLimit,
});

const shared: Partial<WebsocketRelayArgs> = {
  throttlingRateLimit: 11,
  throttlingBurstLimit: 12,
  connectThrottlingRateLimit: 21,
  connectThrottlingBurstLimit: 22,
  pingThrottlingRateLimit: 31,
  pingThrottlingBurstLimit: 32,
};

describe("the stage's settings of routes", () => {
  const modes: [Partial<WebsocketRelayArgs>, Record<string, Throttle>][] = [
    [
      { ...shared, delivery: "retry" },
      {
        $connect: limits(21, 22),
        $disconnect: limits(21, 22),
        ping: limits(31, 32),
        resume: limits(21, 22),
        ack: limits(11, 12),
      },
    ],
    [
      {
        ...shared,
        delivery: "replay",
        resumeThrottlingRateLimit: 41,
        resumeThrottlingBurstLimit: 42,
        acknowledgeThrottlingRateLimit: 51,
        acknowledgeThrottlingBurstLimit: 52,
      },
      {
        $connect: limits(21, 22),
        $disconnect: limits(21, 22),
        ping: limits(31, 32),
        resume: limits(41, 42),
        ack: limits(51, 52),
      },
    ],
  ];
  for (const [args, expected] of modes) {
    describe(`in ${args.delivery} mode`, () => {
      let run: RelayRun;
      before(async () => {
        run = await runRelay(args);
      });
      const stage = () => run.inputs("aws:apigatewayv2/stage:Stage", "relay-stage");
      const settings = () => stage().routeSettings as ({ routeKey: string } & Throttle)[];

      it("are what the arguments say for every route that the API has, with both limits", () => {
        const routes = run.registrations.filter(({ type }) => type === "aws:apigatewayv2/route:Route");
        expect(Object.keys(expected)).to.have.members(routes.map(({ inputs }) => inputs.routeKey));
        expect(settings().map(({ routeKey }) => routeKey)).to.have.members(Object.keys(expected));
        for (const { routeKey, ...own } of settings()) expect(own, routeKey).to.deep.include(expected[routeKey]);
      });

      it("are the shared limits for frames without a route", () => {
        expect(stage().defaultRouteSettings).to.deep.include(limits(11, 12));
      });
    });
  }
});
