import type { Addresses } from "./addresses";

export interface WelcomeOptions {
  /** The command that starts a run in replay mode. */
  replayCommand: string;
  /** The address for other devices. @default none is printed */
  host?: string;
}

/** The text printed when a run is ready: the addresses of its parts, and commands to paste. */
export function welcome(heading: string, addresses: Addresses, { replayCommand, host }: WelcomeOptions): string {
  const { websocketUrl, tokenUrl, awsEndpoint, dynamodbEndpoint, topicArn, deadLetterQueueUrl, tableName } = addresses;
  const { accessKeyId, secretAccessKey, region, controlUrl, pageUrl, delivery, readUrl } = addresses;
  const value = (key: string, text: string) => `"${key}":{"DataType":"String","StringValue":"${text}"}`;
  return `
${heading}

Open the page to connect, publish, cut the network, and watch messages come back:

  ${pageUrl}
${host === undefined ? "" : `\nFrom another device: ${fromOutside(websocketUrl, host)}\n`}
The relay runs in ${delivery} mode${delivery === "retry" ? ` (for replay mode: ${replayCommand})` : ""}. To use it without the page:

Connect as user 42, with context "chat" and contextId "7" (with any WebSocket client; here npx wscat):

  npx wscat -c '${websocketUrl}?context=chat&contextId=7' -H "Authorization: Bearer $(curl -s '${tokenUrl}?user=42')"${
    delivery === "replay"
      ? ` -s websocket-relay.v1\n\nTo get messages that were published before, send {"action":"resume"} on that connection.`
      : ""
  }
${readUrl === undefined ? "" : `\nRead that user's messages over HTTP:\n\n  curl '${readUrl}?context=chat&contextId=7' -H "Authorization: Bearer $(curl -s '${tokenUrl}?user=42')"\n`}
Publish to that user as the backend, in another shell (AWS CLI):

  export AWS_ACCESS_KEY_ID=${accessKeyId} AWS_SECRET_ACCESS_KEY=${secretAccessKey} AWS_DEFAULT_REGION=${region}
  aws --endpoint-url ${awsEndpoint} sns publish --topic-arn ${topicArn} --message 'Hello, 42' \\
    --message-attributes '{${value("user", "42")},${value("context", "chat")},${value("contextId", "7")}}'

Get a token for any user. Further query parameters set claims; an empty one removes the claim:

  curl '${tokenUrl}?user=42&expiresInSeconds=60'

List the sessions and the dead letters with the AWS CLI. The command line of docs/command-line.md reads the addresses that
npm start --silent -- --json > relay.json writes:

  aws --endpoint-url ${dynamodbEndpoint} dynamodb scan --table-name ${tableName}
  aws --endpoint-url ${awsEndpoint} sqs receive-message --queue-url ${deadLetterQueueUrl} --message-attribute-names All

Provoke network and gateway faults (connection ids: GET ${controlUrl}/connections):

  curl -X POST ${controlUrl}/connections/ID/half-open
  curl -X POST ${controlUrl}/connections/ID/drop
  curl -X POST ${controlUrl}/faults -H 'content-type: application/json' -d '{"management":410,"times":1}'

Ctrl-C ends it.
`;
}

function fromOutside(websocketUrl: string, host: string): string {
  const url = new URL(websocketUrl);
  url.hostname = host.includes(":") ? `[${host}]` : host;
  return url.href;
}
