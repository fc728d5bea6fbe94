import type * as pulumi from "@pulumi/pulumi";
import { checkedInput, problemText, refuse, refuseUnlessList } from "./refuse";

/** Who may publish beside the roles of the topic's own account. */
export interface ForeignPublisherArgs {
  /**
   * Accounts whose roles may publish to the topic, as far as their own policies let them: twelve digits, in quotes. Not
   * beside `topicArn`, whose policy is its owner's. @default the topic's own account only
   */
  publisherAccountIds?: pulumi.Input<string>[];
  /** AWS organizations, as `o-a1b2c3d4e5`, all of whose accounts may publish. Not beside `topicArn`. @default none */
  publisherOrganizationIds?: pulumi.Input<string>[];
}

/** The arguments checked now, or as soon as they are known. @throws pulumi.InputPropertyError */
export function checkForeignPublishers(args: ForeignPublisherArgs, topicArn: unknown): Required<ForeignPublisherArgs> {
  const checked = {
    publisherAccountIds: checkedList("publisherAccountIds", args.publisherAccountIds ?? [], accountIdProblem),
    publisherOrganizationIds: checkedList(
      "publisherOrganizationIds",
      args.publisherOrganizationIds ?? [],
      organizationIdProblem,
    ),
  };
  for (const [key, values] of Object.entries(checked)) {
    if (topicArn !== undefined && values.length > 0) {
      refuse(key, values, "none beside topicArn, whose policy is its owner's", "allow sns:Publish in that policy");
    }
  }
  return checked;
}

function checkedList(
  path: string,
  values: unknown,
  problemOf: (value: unknown) => string | undefined,
): pulumi.Input<string>[] {
  // Whether there are any decides whether the topic gets a policy.
  refuseUnlessList(path, values, "texts");
  return (values as pulumi.Input<string>[]).map((value, index) => checkedInput(`${path}[${index}]`, value, problemOf));
}

export function accountIdProblem(value: unknown): string | undefined {
  // YAML would take one without quotes for a number, and its leading zeros would be gone.
  return typeof value === "string" && /^\d{12}$/.test(value)
    ? undefined
    : problemText(value, "an account's twelve digits as a string", "write it in quotes");
}

/** https://docs.aws.amazon.com/organizations/latest/APIReference/API_Organization.html */
function organizationIdProblem(value: unknown): string | undefined {
  return typeof value === "string" && /^o-[a-z\d]{10,32}$/.test(value)
    ? undefined
    : problemText(value, "an organization's id, o- and 10 to 32 letters and digits", "copy it from AWS Organizations");
}
