import { account, partition, region } from "../account";
import type { LocalFunctions } from "./resource";

/** Answers to functions (`aws.getRegion`) that read nothing that is provisioned. */
export const accountFunctions: LocalFunctions = {
  "aws:index/getPartition:getPartition": () => ({ id: partition, partition, dnsSuffix: "amazonaws.com" }),
  "aws:index/getRegion:getRegion": () => ({ id: region, name: region, region }),
  "aws:index/getCallerIdentity:getCallerIdentity": () => ({
    id: account,
    accountId: account,
    arn: `arn:${partition}:iam::${account}:root`,
  }),
};
