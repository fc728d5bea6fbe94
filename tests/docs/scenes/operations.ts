import { dirname } from "node:path";
import { expect } from "chai";
import { key, messageOf, segmentOf } from "../../handlers/history/segments";
import { credentials, region } from "../../../local/account";
import { dynamoDbHistory } from "../../support/realTables";
import { Stage } from "../stage";
import { pathOf, pathWith } from "../tools";
import type { Scene } from "./scene";

/** Blocks of the runbook. */
export const operationsScenes: Record<string, Scene> = {
  "read-history": {
    needs: ["the AWS CLI"],
    async play(block) {
      const { history, endpoint, tableName, close } = await dynamoDbHistory(86_400_000);
      try {
        const large = messageOf("order-9", { body: JSON.stringify("naïve ".repeat(1_000)) });
        const sealed = segmentOf(1, { count: 2 });
        await history.put(key, sealed);
        await history.seal(key, sealed);
        await history.put(key, segmentOf(3, { messages: [messageOf("order-7", { body: '{"n":7}' }), messageOf("b")] }));
        await history.put(key, segmentOf(5, { messages: [large] }));
        const stage = new Stage();
        stage.command("bin/pulumi", `#!/bin/sh\n[ "$*" = "stack output historyTableName" ] && echo ${tableName}\n`);
        const env = {
          AWS_REGION: region,
          AWS_DEFAULT_REGION: region,
          AWS_ACCESS_KEY_ID: credentials.accessKeyId,
          AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
          AWS_ENDPOINT_URL_DYNAMODB: endpoint,
          PATH: pathWith(`${stage.folder}/bin`, dirname(pathOf("the AWS CLI") ?? "")),
        };
        const printed = await stage.shell(block, env).succeeded();
        expect(printed.split("\n")).to.include.members([
          '3 order-7 {"n":7}',
          "4 b body of b",
          `5 order-9 ${large.body}`,
        ]);
      } finally {
        await close();
      }
    },
  },
};
