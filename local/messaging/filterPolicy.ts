import { jsonObject } from "../jsonObject";
import { acceptsCondition, conditionProblem, isLeaf, isOperator, type Leaf } from "./filterOperators";
import type { MessageAttributes } from "./fauxqs";

export type FilterPolicyScope = "MessageAttributes" | "MessageBody";

/** The parts of a message that a filter policy is compared with. */
export interface FilteredMessage {
  body: string;
  attributes: MessageAttributes;
}

type Properties = Record<string, unknown>;

const maxKeys = 5;
const maxCombinations = 150;

/**
 * The reason to refuse a subscription's filter policy; undefined if SNS accepts it.
 * https://docs.aws.amazon.com/sns/latest/dg/subscription-filter-policy-constraints.html
 */
export function filterPolicyProblem(json: string, scope: FilterPolicyScope): string | undefined {
  const policy = jsonObject(json);
  if (!policy) return "it is not a JSON object";
  if (Object.keys(policy).length > maxKeys) return `Filter policy can not have more than ${maxKeys} keys`;
  const problem = propertiesProblem(policy, scope, 1);
  if (problem !== undefined) return problem;
  const combinations = combinationsOf(policy, 1);
  return combinations > maxCombinations
    ? `Filter policy is too complex: ${combinations} combinations of values, where ${maxCombinations} are allowed`
    : undefined;
}

/** Whether a subscription with that filter policy gets a message. */
export function matchesFilterPolicy(json: string, scope: FilterPolicyScope, message: FilteredMessage): boolean {
  const policy = jsonObject(json) ?? {};
  // A body that is no JSON object is accepted by no policy, not even by one that asks for an absence.
  // https://docs.aws.amazon.com/sns/latest/dg/sns-message-filtering.html
  const properties = scope === "MessageBody" ? jsonObject(message.body) : comparable(message.attributes);
  return properties !== undefined && matches(policy, properties);
}

function propertiesProblem(policy: Properties, scope: FilterPolicyScope, depth: number): string | undefined {
  if (depth > 1 && scope === "MessageAttributes") {
    return "Filter policy scope MessageAttributes does not support nested filter policy";
  }
  for (const [name, conditions] of Object.entries(policy)) {
    const problem = propertyProblem(name, conditions, scope, depth);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function propertyProblem(
  name: string,
  conditions: unknown,
  scope: FilterPolicyScope,
  depth: number,
): string | undefined {
  const first = <T>(items: T[], problemOf: (item: T) => string | undefined) =>
    items.map(problemOf).find((problem) => problem !== undefined);
  if (isOr(name, conditions)) return first(conditions, (policy) => propertiesProblem(policy, scope, depth));
  if (isNested(conditions)) return propertiesProblem(conditions, scope, depth + 1);
  if (!Array.isArray(conditions)) return `"${name}" must be an object or an array`;
  if (conditions.length === 0) return `Empty arrays are not allowed: ${name}`;
  return first(conditions, conditionProblem);
}

/** https://docs.aws.amazon.com/sns/latest/dg/subscription-filter-policy-constraints.html: by nesting level, too. */
function combinationsOf(policy: Properties, depth: number): number {
  return Object.entries(policy).reduce((product, [name, conditions]) => {
    if (isOr(name, conditions)) {
      return product * conditions.reduce((sum, alternative) => sum + combinationsOf(alternative, depth), 0);
    }
    if (isNested(conditions)) return product * combinationsOf(conditions, depth + 1);
    return product * (conditions as unknown[]).length * depth;
  }, 1);
}

function matches(policy: Properties, properties: Properties): boolean {
  return Object.entries(policy).every(([name, conditions]) => {
    if (isOr(name, conditions)) return conditions.some((alternative) => matches(alternative, properties));
    const value = Object.hasOwn(properties, name) ? properties[name] : undefined;
    // Of an array of objects, one has to match as a whole.
    if (isNested(conditions)) return objectsOf(value).some((object) => matches(conditions, object));
    return (conditions as unknown[]).some((condition) => acceptsCondition(condition, leavesOf(value)));
  });
}

/**
 * Anything else of that name is a property as any other.
 * https://docs.aws.amazon.com/sns/latest/dg/and-or-logic.html#or-operator
 */
function isOr(name: string, alternatives: unknown): alternatives is Properties[] {
  return (
    name === "$or" &&
    Array.isArray(alternatives) &&
    alternatives.length > 1 &&
    alternatives.every((each) => isNested(each) && !Object.keys(each).some(isOperator))
  );
}

function isNested(value: unknown): value is Properties {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function objectsOf(value: unknown): Properties[] {
  const objects = [value].flat(Infinity).filter(isNested);
  return objects.length > 0 ? objects : [{}];
}

function leavesOf(value: unknown): Leaf[] {
  return [value].flat(Infinity).filter(isLeaf);
}

/** Attributes as JSON values. Binary attributes and attributes of custom types are not compared. */
function comparable(attributes: MessageAttributes): Properties {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, { DataType, StringValue = "" }]) => {
      if (DataType === "String") return [name, StringValue];
      if (DataType === "Number") return [name, Number(StringValue)];
      return [name, DataType === "String.Array" ? arrayOf(StringValue) : undefined];
    }),
  );
}

function arrayOf(json: string): unknown[] | undefined {
  return jsonObject(`{"array":${json}}`)?.["array"] as unknown[] | undefined;
}
