import { account, partition, region } from "../account";
import type { Properties } from "./resource";

/**
 * What the provider answers to a function that the program calls (`aws.getRegion`), the same on both fronts.
 *
 * @throws Error that names a function which has no answer here.
 */
export function callFunction(token: string): Properties {
  const answer = answers[token];
  if (!answer) {
    throw new Error(
      `the local run does not know the function ${token}: give it an answer in local/provision/functions`,
    );
  }
  return answer;
}

const answers: Record<string, Properties> = {
  "aws:index/getPartition:getPartition": { id: partition, partition, dnsSuffix: "amazonaws.com" },
  "aws:index/getRegion:getRegion": { id: region, name: region, region },
  "aws:index/getCallerIdentity:getCallerIdentity": {
    id: account,
    accountId: account,
    arn: `arn:${partition}:iam::${account}:root`,
  },
};
