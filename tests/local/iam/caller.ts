import { region } from "../../../local/account";
import type { Iam } from "../../../local/iam/iam";
import { roleCredentials } from "../../../local/iam/roles";
import { registerRole, type Statement } from "./roles";

export const key = "arn:aws:kms:us-east-1:000000000000:key/1";
export const useKey: Statement = { Action: ["kms:Decrypt", "kms:GenerateDataKey"], Resource: key };

/** Who signs as a role with these rights. */
export function roleOf(iam: Iam, ...statements: Statement[]) {
  const role = registerRole(iam, "caller", ...statements);
  return { region, credentials: roleCredentials(role.arn, "f"), maxAttempts: 1 };
}
