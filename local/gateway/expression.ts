/**
 * A selection expression with one variable, `$request.body.a.b` or `${request.body.a.b}`, or a constant, in which AWS
 * has a dollar sign escaped (`\$default`).
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-selection-expressions.html
 */
const variable = /^(?:\$request\.body\.([\w.-]+)|\$\{request\.body\.([\w.-]+)\})$/;

/** Whether `expression` picks a value out of the message: the only kind of route selection supported here. */
export function isBodyExpression(expression: string): boolean {
  return variable.test(expression);
}

/** The value `expression` has for a message, or undefined where the message is no JSON or lacks the path. */
export function evaluate(expression: string, body: string): string | undefined {
  const match = variable.exec(expression);
  if (!match) return expression.replace(/^\\\$/, "$");
  const path = (match[1] ?? match[2] ?? "").split(".");
  const value = path.reduce<unknown>(property, parse(body));
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean"
    ? String(value)
    : undefined;
}

function property(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined;
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
