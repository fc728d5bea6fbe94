export type Properties = Record<string, unknown>;

/** A registered resource as its provider sees it: all inputs known, secrets unwrapped. */
export interface Registration {
  /** The logical name in the program: `relay-table`. */
  name: string;
  inputs: Properties;
}

/** Creates, updates, deletes and reads resources of one type, as the engine asks. */
export interface LocalResource {
  /** Inputs whose change replaces the resource, as on AWS. */
  replaceOnChanges?: readonly string[];
  /** Resolves with the physical id and with the outputs (the inputs are added by the caller, and need not be repeated). */
  create(registration: Registration): Promise<{ id: string; outputs: Properties }>;
  /** Changes the resource in place; resolves with its outputs. Absent: every change replaces. */
  update?(id: string, registration: Registration, olds: Properties): Promise<Properties>;
  delete(id: string, olds: Properties): Promise<void>;
  /** The state of what exists under an id, for a program's `.get()`; undefined where there is none. */
  read?(id: string): Promise<Properties | undefined>;
  /** Inputs that come back with more in them than was put in, so that a preview does not know them. */
  computedInputs?: readonly string[];
}

/** Resource type token (`aws:sqs/queue:Queue`) -> what it does here. */
export type LocalResources = Record<string, LocalResource>;

/** Function token (`aws:sns/getTopic:getTopic`) -> its answer, which may be asked of the local parts. Throws or rejects as AWS refuses. */
export type LocalFunctions = Record<string, (args: Properties) => Properties | Promise<Properties>>;
