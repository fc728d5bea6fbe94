import { ROWS, type Row } from "./measure";

/** The commit before replay's history became segments: its parent in the sense of the table. */
const BASE_COMMIT = "6240b31";

export interface BenchOptions {
  quick: boolean;
  /** Only these rows of the table. @default every measurement */
  only?: Row[];
  /** @default no other commit is measured */
  base?: string;
}

/** @throws if an argument is unknown, or its value is. */
export function readOptions(args: readonly string[]): BenchOptions {
  const options: BenchOptions = { quick: false, base: BASE_COMMIT };
  const rest = [...args];
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    if (arg === "--quick") options.quick = true;
    else if (arg === "--no-base") delete options.base;
    else if (arg === "--base") options.base = rest.shift() ?? refuse(arg, "nothing", "a commit");
    else if (arg === "--only") (options.only ??= []).push(rowOf(rest.shift()));
    else refuse(arg, "an unknown argument", "--quick, --no-base, --base COMMIT, --only ROW");
  }
  return options;
}

function rowOf(value: string | undefined): Row {
  return ROWS.find((row) => row === value) ?? refuse("--only", value ?? "nothing", ROWS.join(", "));
}

function refuse(name: string, got: string, allowed: string): never {
  throw new Error(`${name}: got ${got}; allowed: ${allowed}. Fix: correct it, or leave it out`);
}
