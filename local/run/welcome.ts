import type { Addresses } from "./addresses";

/** What is printed when a run is ready: where its parts are, and commands to paste. */
export function welcome(heading: string, addresses: Addresses, host?: string): string {
  const { websocketUrl, tokenUrl, awsEndpoint, dynamodbEndpoint, topicArn, deadLetterQueueUrl, tableName } = addresses;
  const { accessKeyId, secretAccessKey, region, controlUrl, pageUrl, delivery } = addresses;
  const value = (key: string, text: string) => `"${key}":{"DataType":"String","StringValue":"${text}"}`;
  return `
${heading}

See it in a browser: connect, publish, cut the network, and watch what comes back:

  ${pageUrl}
${host === undefined ? "" : `\nFrom another device: ${fromOutside(websocketUrl, host)}\n`}
It delivers by ${delivery}${delivery === "retry" ? " (by replay with: npm start -- -c delivery=replay)" : ""}. Or by hand:

Connect as user 42, for context "chat" and contextId "7" (any WebSocket client; here npx wscat):

  npx wscat -c '${websocketUrl}?context=chat&contextId=7' -H "Authorization: Bearer $(curl -s '${tokenUrl}?user=42')"${
    delivery === "replay" ? " -s websocket-relay.v1" : ""
  }

Publish to that user as the backend, in another shell (AWS CLI):

  export AWS_ACCESS_KEY_ID=${accessKeyId} AWS_SECRET_ACCESS_KEY=${secretAccessKey} AWS_DEFAULT_REGION=${region}
  aws --endpoint-url ${awsEndpoint} sns publish --topic-arn ${topicArn} --message 'Hello, 42' \\
    --message-attributes '{${value("user", "42")},${value("context", "chat")},${value("contextId", "7")}}'

Get a token for any user; further query parameters override claims, an empty one removes it:

  curl '${tokenUrl}?user=42&expiresInSeconds=60'

See who is connected, and what could not be delivered (npm start --silent -- --json > relay.json gives the command line
of docs/operations.md its addresses; here with the AWS CLI):

  aws --endpoint-url ${dynamodbEndpoint} dynamodb scan --table-name ${tableName}
  aws --endpoint-url ${awsEndpoint} sqs receive-message --queue-url ${deadLetterQueueUrl} --message-attribute-names All

Provoke what a network does (ids: GET ${controlUrl}/connections):

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
