import type * as pulumi from "@pulumi/pulumi";
import { answeredByAws, computedByAws } from "./awsAnswers";

/** A resource that a program registered, or read by `get`. */
export interface Registration {
  /** Its type token, such as `aws:sqs/queue:Queue`. */
  type: string;
  name: string;
  /**
   * The inputs: outputs of other resources have their mocked values. In a preview, of what AWS computes, they have Pulumi's
   * placeholder for unknown values.
   */
  inputs: Record<string, unknown>;
}

export interface RelayMocksOptions {
  /**
   * What AWS would compute of the resources that the program has besides the relay's, by type token; called with the resource's
   * name and inputs. It replaces the relay's own values of that type. An `id` among the values is the resource's id, such as a
   * user pool's, which the relay checks. @default such a resource is refused; the id is the name and "-id"
   */
  resources?: Record<string, (name: string, inputs: Record<string, unknown>) => Record<string, unknown>>;
  /**
   * The answers of the provider functions that the program calls besides `aws.getRegion`, `getCallerIdentity`, `getPartition` and
   * `dynamodb.getTable`, by token; called with the function's inputs. @default such a call is refused
   */
  calls?: Record<string, (inputs: Record<string, unknown>) => Record<string, unknown>>;
  /** Whether the resources exist already: what AWS computes, and their ids, are known. @default true */
  created?: boolean;
}

/** Pulumi's mocks, and what was registered under them. */
export interface RelayMocks extends pulumi.runtime.Mocks {
  /** What was registered so far, in that order. */
  readonly registrations: Registration[];
  /** What was refused so far. */
  readonly refusals: Error[];
}

/**
 * Mocks for `pulumi.runtime.setMocks` under which a `WebsocketRelay` can be constructed: they answer what AWS computes (Pulumi's
 * documented mocks answer the inputs alone, of which no relay can be made), in account 111122223333 and region eu-west-1, record
 * what is registered, and refuse a resource or a call that neither the relay nor `options` foresees.
 */
export function relayMocks({ resources = {}, calls = {}, created = true }: RelayMocksOptions = {}): RelayMocks {
  const registrations: Registration[] = [];
  const refusals: Error[] = [];
  const refuse = (what: string, option: string) => {
    const refusal = new Error(`these mocks have no answer for ${what}. Fix: add it to the option \`${option}\`.`);
    refusals.push(refusal);
    return refusal;
  };
  const computed = { ...computedByAws, ...resources };
  const answers = { ...answeredByAws, ...calls };
  return {
    registrations,
    refusals,
    newResource: ({ type, name, inputs, custom, id }) => {
      registrations.push({ type, name, inputs: inputs as Record<string, unknown> });
      const outputs = computed[type];
      // A component of the program's own: what it outputs, it says itself. A remote one is known by `resources`.
      if (!custom) return { id: "", state: outputs?.(name, inputs) ?? {} };
      if (!outputs) throw refuse(`the resource ${type} (${name})`, "resources");
      // A resource that was found by its id, such as a role by its name.
      if (id) return { id, state: { ...inputs, ...outputs(type === "aws:iam/role:Role" ? id : name, inputs) } };
      if (!created) return { id: "", state: inputs };
      const { id: computedId = `${name}-id`, ...state } = outputs(name, inputs);
      return { id: String(computedId), state: { ...inputs, ...state } };
    },
    call: ({ token, inputs }) => {
      const answer = answers[token];
      if (!answer) throw refuse(`the call of ${token}`, "calls");
      return answer(inputs as Record<string, unknown>);
    },
  };
}
