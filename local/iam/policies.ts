/** A policy and the resource it belongs to, as `GET {controlUrl}/policies` shows it. */
export interface PolicyEntry {
  /** The ARN of the role, queue, topic, key or function. */
  of: string;
  /** What a role's policy is called; `trust` says who may assume the role. A resource has one policy, without a name. */
  name?: string;
  /** The access key id by which a role's calls are known here. */
  accessKeyId?: string;
  document: unknown;
}

/** A local part whose resources have policies. */
export interface PolicyHolder {
  policies(): PolicyEntry[];
  /** Sets a policy, or removes it. False where the resource is not this part's. */
  setPolicy(of: string, name: string | undefined, document: string | undefined): boolean;
}

/** Every policy of a local account, wherever it is kept; they can be changed while it runs. */
export class Policies implements PolicyHolder {
  private readonly holders: PolicyHolder[];

  constructor(...holders: PolicyHolder[]) {
    this.holders = holders;
  }

  add(holder: PolicyHolder): void {
    this.holders.push(holder);
  }

  policies(): PolicyEntry[] {
    return this.holders.flatMap((holder) => holder.policies());
  }

  setPolicy(of: string, name: string | undefined, document: string | undefined): boolean {
    return this.holders.some((holder) => holder.setPolicy(of, name, document));
  }
}
