import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { record } from "../../support/recorder";
import { Stage } from "../stage";
import type { Scene } from "./scene";
import "../../examples/packageByName";

/** Blocks that are a Pulumi program. */
export const programScenes: Record<string, Scene> = {
  "smallest-program": {
    async play(block) {
      const refused = await registered(block.text).catch(String);
      expect(refused).to.match(/auth\.oidc\.issuer: .*placeholder/);
      const own = await registered(block.text.replace("your-domain.com", "relay.dev"));
      expect(own.errors).to.deep.equal([]);
      expect(Object.keys(own.outputs)).to.deep.equal(["websocketUrl", "topicArn", "addresses"]);
      const names = own.registrations.map(({ name }) => name);
      expect(names).to.include.members(["relay", "relay-connect", "relay-publish-policy"]);
    },
  },
};

/** What the program registers with Pulumi's mocks, and exports. */
async function registered(text: string) {
  const file = join(Stage.withPackages().folder, "index.ts");
  writeFileSync(file, text);
  let outputs: object = {};
  const recorded = await record(() => {
    outputs = require(file) as object;
  });
  return { ...recorded, outputs };
}
