import type { DeployedRoute } from "./definition";
import { evaluate } from "./expression";
import type { IntegrationResponseInputs } from "./inputs";
import { IntegrationError } from "./lambdaIntegration";
import { render } from "./template";

/**
 * Runs a `MOCK` integration: the request template names a status, and the integration response for that status
 * gives the answer. Undefined where that response has no template. Throws `IntegrationError`.
 */
export function mockAnswer(
  route: DeployedRoute,
  body: string,
  context: Readonly<Record<string, unknown>>,
): string | undefined {
  const { requestTemplates, templateSelectionExpression } = route.integration ?? {};
  const request = choose(requestTemplates, templateSelectionExpression, body);
  if (request === undefined) throw new IntegrationError(500, `route ${route.routeKey} has no request template`);
  const status = statusOf(render(request, context));
  if (status === undefined) {
    throw new IntegrationError(500, `the request template of route ${route.routeKey} gives no {"statusCode":…}`);
  }
  const response = responseFor(status, route.integrationResponses);
  if (!response) throw new IntegrationError(500, `route ${route.routeKey} has no integration response for ${status}`);
  const template = choose(response.responseTemplates, response.templateSelectionExpression, body);
  return template === undefined ? undefined : render(template, context);
}

function choose(
  templates: Readonly<Record<string, string>> = {},
  expression: string | undefined,
  body: string,
): string | undefined {
  const key = expression ? evaluate(expression, body) : undefined;
  return (key === undefined ? undefined : templates[key]) ?? templates["$default"];
}

function statusOf(rendered: string): number | undefined {
  try {
    const { statusCode } = JSON.parse(rendered) as { statusCode?: unknown };
    return Number.isInteger(statusCode) ? (statusCode as number) : undefined;
  } catch {
    return undefined;
  }
}

function responseFor(status: number, responses: readonly IntegrationResponseInputs[]) {
  return (
    responses.find(({ integrationResponseKey: key }) => {
      return key !== "$default" && new RegExp(`^(?:${key.slice(1, -1)})$`).test(String(status));
    }) ?? responses.find(({ integrationResponseKey: key }) => key === "$default")
  );
}
