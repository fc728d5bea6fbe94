import type * as pulumi from "@pulumi/pulumi";
import { isDeferred, refuse, refuseUnlessObject } from "./refuse";

/** @throws pulumi.InputPropertyError where a tag, as far as it is known already, is none that every service takes. */
export function refuseBadTags(tags: pulumi.Input<Record<string, pulumi.Input<string>>>): void {
  if (isDeferred(tags)) {
    return;
  }
  refuseUnlessObject("tags", tags, "an object of strings", 'write { team: "chat" }');
  // IAM's rules, the strictest of the services'. https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html
  const allowed = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;
  if (Object.keys(tags).length > 50) {
    refuse("tags", `${Object.keys(tags).length} tags`, "50", "remove some");
  }
  for (const [key, value] of Object.entries(tags)) {
    if (!isDeferred(value) && typeof value !== "string") {
      refuse(`tags.${key}`, value, "a string", `write ${JSON.stringify(String(value))}, in quotes`);
    }
    if (key === "" || key.length > 128 || !allowed.test(key)) {
      refuse(`tags.${key}`, key, "a key of 1 to 128 letters, digits, spaces and _.:/=+-@", "rename the tag");
    }
    if (typeof value === "string" && (value.length > 256 || !allowed.test(value))) {
      refuse(`tags.${key}`, value, "up to 256 letters, digits, spaces and _.:/=+-@", "shorten or change it");
    }
    if (key.toLowerCase().startsWith("aws:")) {
      refuse(`tags.${key}`, value, "a key that does not begin with aws:, which AWS reserves", "rename the tag");
    }
  }
}
