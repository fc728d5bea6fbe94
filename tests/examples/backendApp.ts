import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type Relay } from "../endToEnd/relay";
import { repository } from "../support/repository";

/** The backend of the Fargate example, as a process of its own, for a relay that runs here. */
export class BackendApp {
  private constructor(
    private readonly process: ChildProcess,
    readonly port: number,
  ) {}

  static async start({ addresses }: Relay): Promise<BackendApp> {
    const { topicArn, tableName, managementEndpoint, awsEndpoint, dynamodbEndpoint } = addresses;
    const { accessKeyId, secretAccessKey } = addresses;
    const preloaded = ["-r", "./transpile", "-r", join(__dirname, "packageByName.ts")];
    const app = spawn(process.execPath, [...preloaded, "examples/fargate-backend/app/server.ts"], {
      cwd: repository,
      env: {
        PATH: process.env.PATH,
        ...{ PORT: "0", TOPIC_ARN: topicArn, TABLE_NAME: tableName, MANAGEMENT_ENDPOINT: managementEndpoint },
        ...{ AWS_ENDPOINT_URL_SNS: awsEndpoint, AWS_ENDPOINT_URL_DYNAMODB: dynamodbEndpoint },
        ...{ AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey },
      },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const lines = createInterface({ input: app.stdout });
    const ended = once(app, "exit").then(() => Promise.reject(new Error("the backend ended")));
    ended.catch(() => undefined);
    const [line] = (await Promise.race([once(lines, "line"), ended])) as [string];
    return new BackendApp(app, (JSON.parse(line) as { port: number }).port);
  }

  async stop(): Promise<void> {
    this.process.kill("SIGTERM");
    await once(this.process, "exit");
  }
}
