import type * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import type { Throttles } from "../args/throttleArgs";

/** The routes by the throttles that apply to them. A stage refuses settings of a route that its deployment lacks. */
export type ThrottledRoutes = Record<
  Exclude<keyof Throttles, "other" | "httpRead">,
  { routeKey: pulumi.Input<string> }
>;

/**
 * A stage's settings of each route, and of frames without a route. Settings of a route replace the default ones as a whole.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-protect.html
 */
export function routeSettings(
  throttles: Throttles,
  routes: ThrottledRoutes,
  logging: { loggingLevel: string; dataTraceEnabled: boolean },
): Pick<aws.apigatewayv2.StageArgs, "defaultRouteSettings" | "routeSettings"> {
  return {
    defaultRouteSettings: { ...logging, ...throttles.other },
    routeSettings: Object.entries(routes).map(([name, { routeKey }]) => ({
      routeKey,
      ...logging,
      ...throttles[name as keyof ThrottledRoutes],
    })),
  };
}
