# To be sourced, in this folder: tells the backend where the local run is, by the addresses that it wrote into relay.json, and who it
# is to push services, by keys that are made anew.
until [ -s relay.json ]; do sleep 1; done
address() { node -p "require('./relay.json').$1"; }
AWS_REGION=$(address region)
AWS_DEFAULT_REGION=$AWS_REGION # for the AWS CLI
AWS_ACCESS_KEY_ID=$(address accessKeyId)
AWS_SECRET_ACCESS_KEY=$(address secretAccessKey)
AWS_ENDPOINT_URL=$(address awsEndpoint)
RECEIPTS_QUEUE_URL=$(address queueUrl | sed 's/[^/]*$/push-notification-local-waiting/')
TOPIC_ARN=$(address topicArn)
export AWS_REGION AWS_DEFAULT_REGION AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_ENDPOINT_URL RECEIPTS_QUEUE_URL TOPIC_ARN
vapid=$(backend/node_modules/.bin/web-push generate-vapid-keys --json)
vapid_key() { node -p "($vapid).$1"; }
VAPID_SUBJECT=mailto:you@example.com
VAPID_PUBLIC_KEY=$(vapid_key publicKey)
VAPID_PRIVATE_KEY=$(vapid_key privateKey)
export VAPID_SUBJECT VAPID_PUBLIC_KEY VAPID_PRIVATE_KEY
