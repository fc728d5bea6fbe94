/** The one account and region of a local run. The account is the one fauxqs puts into its ARNs. */
export const account = "000000000000";
export const region = "us-east-1";
export const partition = "aws";

/** Accepted by every local part; an SDK client refuses to sign without any. */
export const credentials = { accessKeyId: "local", secretAccessKey: "local" };

export function arn(service: string, resource: string): string {
  return `arn:${partition}:${service}:${region}:${account}:${resource}`;
}
