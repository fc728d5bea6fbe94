import { account, partition, region } from "../account";
import type { LocalFunctions } from "./resource";

/** What the provider answers to functions of the program (`aws.getRegion`) that ask for nothing which is provisioned. */
export const accountFunctions: LocalFunctions = {
  "aws:index/getPartition:getPartition": () => ({ id: partition, partition, dnsSuffix: "amazonaws.com" }),
  "aws:index/getRegion:getRegion": () => ({ id: region, name: region, region }),
  "aws:index/getCallerIdentity:getCallerIdentity": () => ({
    id: account,
    accountId: account,
    arn: `arn:${partition}:iam::${account}:root`,
  }),
};
