/** Method and resource path of a route, `ANY /items/{id}`. */
const routeKeys = /^(ANY|DELETE|GET|HEAD|OPTIONS|PATCH|POST|PUT) (\/.*)$/;
/** A part of a resource path: text, a variable, or, as the last one, a greedy variable. */
const part = /^(?:[^{}]*|\{[\w.-]+\}|\{[\w.-]+\+\})$/;

/** The route of a request, and what it made of the path. */
export interface RouteMatch<Route = unknown> {
  route: Route;
  /** The route's own path, such as `/items/{id}`; `$default` for that route. */
  resource: string;
  pathParameters: Record<string, string>;
}

export function isRouteKey(key: string): boolean {
  if (key === "$default") return true;
  const parts = routeKeys.exec(key)?.[2]?.slice(1).split("/");
  return (
    parts !== undefined && parts.every((each, at) => part.test(each) && (at === parts.length - 1 || !isGreedy(each)))
  );
}

/**
 * The best match: a route of this path and method, else one with a greedy variable, else `$default`. A route that names the
 * method comes before one for `ANY`.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
 */
export function matchRoute<Route extends { routeKey: string }>(
  routes: ReadonlyMap<string, Route>,
  method: string,
  path: string,
): RouteMatch<Route> | undefined {
  const candidates = [...routes.values()].flatMap((route) => {
    const [, routeMethod = "", resource = ""] = routeKeys.exec(route.routeKey) ?? [];
    if (routeMethod !== "ANY" && routeMethod !== method) return [];
    const pathParameters = parametersOf(resource, path);
    return pathParameters ? [{ route, resource, pathParameters, rank: rankOf(routeMethod, resource) }] : [];
  });
  const [best] = candidates.toSorted((one, other) => one.rank - other.rank);
  const fallback = routes.get("$default");
  return best ?? (fallback && { route: fallback, resource: "$default", pathParameters: {} });
}

function parametersOf(resource: string, path: string): Record<string, string> | undefined {
  const parts = resource.slice(1).split("/");
  const values = path.slice(1).split("/");
  const parameters: Record<string, string> = {};
  for (const [at, each] of parts.entries()) {
    if (isGreedy(each)) {
      const rest = values.slice(at).join("/");
      return rest === "" ? undefined : { ...parameters, [each.slice(1, -2)]: rest };
    }
    const value = values[at];
    if (value === undefined) return undefined;
    if (!each.startsWith("{")) {
      if (each !== value) return undefined;
    } else if (value === "") return undefined;
    else parameters[each.slice(1, -1)] = value;
  }
  return values.length === parts.length ? parameters : undefined;
}

function rankOf(method: string, resource: string): number {
  const last = resource.slice(resource.lastIndexOf("/") + 1);
  const ofPath = isGreedy(last) ? 2 : resource.includes("{") ? 1 : 0;
  return ofPath * 2 + (method === "ANY" ? 1 : 0);
}

function isGreedy(each: string): boolean {
  return each.endsWith("+}");
}
