import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { resolveArgs, type WebsocketRelayArgs } from "../../../components/args/args";
import { auth } from "../../support/relayRun";

/** The refused value, the arguments besides a usable `auth`, the argument that is named, and what the error must say. */
export type Refused = [what: string, args: object, path: string, parts: string[]];

/** One test for each: it is refused, and the error names the argument, what it got and the fix. */
export function itRefuses(refused: Refused[]): void {
  for (const [what, args, path, parts] of refused) {
    it(`refuses ${what}, naming ${path}`, () => {
      const { propertyPath, reason } = problemOf({ auth, ...args });
      expect(propertyPath.startsWith(path), propertyPath).to.equal(true);
      expect(reason).to.include(path.split("[")[0]).and.to.match(/Fix: /);
      for (const part of parts) {
        expect(reason).to.include(part);
      }
    });
  }
}

/** The refusal of the arguments; fails where they are taken. */
export function problemOf(args: object): { propertyPath: string; reason: string } {
  try {
    resolveArgs(args as WebsocketRelayArgs);
  } catch (error) {
    if (pulumi.InputPropertyError.isInstance(error)) {
      return { propertyPath: error.propertyPath, reason: error.reason };
    }
    throw error;
  }
  throw new Error(`expected a refusal of ${JSON.stringify(args)}`);
}
