# To be sourced, in this folder: tells the backend where the local run is, by the addresses that it wrote into relay.json.
until [ -s relay.json ]; do sleep 1; done
address() { node -p "require('./relay.json').$1"; }
# boto3 does not read AWS_REGION.
AWS_DEFAULT_REGION=$(address region)
AWS_ACCESS_KEY_ID=$(address accessKeyId)
AWS_SECRET_ACCESS_KEY=$(address secretAccessKey)
AWS_ENDPOINT_URL=$(address awsEndpoint)
TOPIC_ARN=$(address topicArn)
RECEIPTS_QUEUE_URL=$(address queueUrl | sed 's/[^/]*$/python-backend-local-receipts/')
export AWS_DEFAULT_REGION AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_ENDPOINT_URL TOPIC_ARN RECEIPTS_QUEUE_URL
