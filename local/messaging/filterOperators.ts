import { BlockList, isIP } from "node:net";

/** A value of a message that a filter policy is compared with. */
export type Leaf = string | number | boolean | null;

/** One operator of a filter policy: `{ [name]: operand }`. */
interface Operator {
  /** The reason to refuse the operand; undefined if SNS accepts it. */
  problem(operand: unknown): string | undefined;
  /** Whether it accepts a property's values; none where a message has no such property. */
  accepts(operand: unknown, values: Leaf[]): boolean;
}

/**
 * https://docs.aws.amazon.com/sns/latest/dg/string-value-matching.html
 * https://docs.aws.amazon.com/sns/latest/dg/numeric-value-matching.html
 * https://docs.aws.amazon.com/sns/latest/dg/attribute-key-matching.html
 */
const operators: Record<string, Operator> = {
  prefix: ofText((value, text) => value.startsWith(text)),
  suffix: ofText((value, text) => value.endsWith(text)),
  "equals-ignore-case": ofText((value, text) => value.toLowerCase() === text.toLowerCase()),
  wildcard: ofText((value, pattern) => wildcard(pattern).test(value), wildcardProblem),
  cidr: ofText((value, block) => cidr(block)?.check(value, familyOf(value)) === true, cidrProblem),
  exists: {
    problem: (operand) => (typeof operand === "boolean" ? undefined : "must be either true or false"),
    accepts: (operand, values) => values.length > 0 === operand,
  },
  numeric: {
    problem: numericProblem,
    accepts: (operand, values) => values.some((value) => isInRange(value, operand as (string | number)[])),
  },
  "anything-but": {
    problem: anythingButProblem,
    // One value of an array that is not excluded is enough.
    accepts: (operand, values) => values.some((value) => !isExcluded(value, operand)),
  },
};

/** The reason to refuse one of a property's conditions; undefined if SNS accepts it. */
export function conditionProblem(condition: unknown): string | undefined {
  if (isLeaf(condition)) return undefined;
  if (Array.isArray(condition)) return "Match value must be String, number, true, false, or null";
  const [[name, operand] = ["", undefined], ...others] = Object.entries(condition as object);
  if (others.length > 0) return "Only one key allowed in match expression";
  const operator = operatorNamed(name);
  if (!operator) {
    return `Unrecognized match type ${name}; the operators are ${Object.keys(operators).join(", ")} and $or`;
  }
  const problem = operator.problem(operand);
  return problem === undefined ? undefined : `${name}: ${problem}; got ${JSON.stringify(operand)}`;
}

/** Whether one of a property's conditions accepts the property's values. */
export function acceptsCondition(condition: unknown, values: Leaf[]): boolean {
  if (isLeaf(condition)) return values.includes(condition);
  const [[name, operand] = ["", undefined]] = Object.entries(condition as object);
  return operatorNamed(name)?.accepts(operand, values) === true;
}

export function isOperator(name: string): boolean {
  return operatorNamed(name) !== undefined;
}

export function isLeaf(value: unknown): value is Leaf {
  return value === null || ["string", "number", "boolean"].includes(typeof value);
}

function operatorNamed(name: string): Operator | undefined {
  return Object.hasOwn(operators, name) ? operators[name] : undefined;
}

function ofText(
  accepts: (value: string, operand: string) => boolean,
  problemOf: (operand: string) => string | undefined = () => undefined,
): Operator {
  return {
    problem: (operand) => (typeof operand === "string" ? problemOf(operand) : "match pattern must be a string"),
    accepts: (operand, values) =>
      values.some((value) => typeof value === "string" && accepts(value, operand as string)),
  };
}

function wildcardProblem(pattern: string): string | undefined {
  if (/\\(?![*\\])/.test(pattern.replaceAll("\\\\", ""))) return "a backslash must be followed by * or by a backslash";
  const withoutEscapes = pattern.replace(/\\[*\\]/g, "-");
  return withoutEscapes.includes("**") ? "consecutive wildcard characters are not allowed" : undefined;
}

/** `*` is any text, `\*` an asterisk. */
function wildcard(pattern: string): RegExp {
  const parts = pattern.match(/\\.|[^\\]/gsu) ?? [];
  const source = parts.map((part) => (part === "*" ? ".*" : literally([...part].at(-1) ?? "")));
  return new RegExp(`^${source.join("")}$`, "su");
}

function literally(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}

function cidrProblem(block: string): string | undefined {
  return cidr(block) ? undefined : "must be an IP address, a slash and the number of mask bits";
}

function cidr(block: string): BlockList | undefined {
  const [, address = "", bits = ""] = /^([^/]+)\/(\d{1,3})$/.exec(block) ?? [];
  if (isIP(address) === 0 || Number(bits) > (isIP(address) === 6 ? 128 : 32)) return undefined;
  const list = new BlockList();
  list.addSubnet(address, Number(bits), familyOf(address));
  return list;
}

function familyOf(address: string): "ipv4" | "ipv6" {
  return isIP(address) === 6 ? "ipv6" : "ipv4";
}

const comparisons: Record<string, (value: number, operand: number) => boolean> = {
  "=": (value, operand) => value === operand,
  "<": (value, operand) => value < operand,
  "<=": (value, operand) => value <= operand,
  ">": (value, operand) => value > operand,
  ">=": (value, operand) => value >= operand,
};

const numericForms = 'must be [operator, number], or a range as [">", 0, "<=", 150]';

/** https://docs.aws.amazon.com/sns/latest/dg/numeric-value-matching.html#numeric-value-range-matching */
function numericProblem(operand: unknown): string | undefined {
  if (!Array.isArray(operand) || ![2, 4].includes(operand.length)) return numericForms;
  const [first, least, second, most] = operand as unknown[];
  if (!Object.hasOwn(comparisons, String(first)) || typeof least !== "number") return numericForms;
  if (operand.length === 2) return undefined;
  const isRange = [">", ">="].includes(String(first)) && ["<", "<="].includes(String(second));
  if (!isRange || typeof most !== "number") return numericForms;
  return least < most ? undefined : "Bottom must be less than top";
}

function isInRange(value: Leaf, [first, least, second, most]: (string | number)[]): boolean {
  if (typeof value !== "number") return false;
  const holds = (operator: string | number | undefined, operand: string | number | undefined) =>
    comparisons[String(operator)]?.(value, Number(operand)) === true;
  return holds(first, least) && (second === undefined || holds(second, most));
}

/** The operands of anything-but. */
const negatable = ["prefix", "suffix", "wildcard"];

function anythingButProblem(operand: unknown): string | undefined {
  const excluded = [operand].flat();
  if (excluded.length > 0 && excluded.every((value) => ["string", "number"].includes(typeof value))) return undefined;
  const [name = "", ...others] = typeof operand === "object" ? Object.keys(operand ?? {}) : [];
  if (Array.isArray(operand) || others.length > 0 || !negatable.includes(name)) {
    return `must be strings, numbers, or one of ${negatable.join(", ")}`;
  }
  return conditionProblem(operand);
}

function isExcluded(value: Leaf, operand: unknown): boolean {
  const isCondition = typeof operand === "object" && !Array.isArray(operand);
  if (!isCondition) return [operand].flat().includes(value);
  // Patterns apply to strings only; other values count as excluded, which AWS does not document.
  // https://docs.aws.amazon.com/sns/latest/dg/numeric-value-matching.html
  return typeof value !== "string" || acceptsCondition(operand, [value]);
}
