# To be sourced, in this folder: tells the app where the local run is, by the addresses that it wrote into relay.json.
until [ -s relay.json ]; do sleep 1; done
address() { node -p "require('./relay.json').$1"; }
WEBSOCKET_URL=$(address websocketUrl)
LOCAL_TOKEN_URL=$(address tokenUrl)
TOPIC_ARN=$(address topicArn)
AWS_ENDPOINT_URL_SNS=$(address awsEndpoint)
AWS_ACCESS_KEY_ID=$(address accessKeyId)
AWS_SECRET_ACCESS_KEY=$(address secretAccessKey)
export WEBSOCKET_URL LOCAL_TOKEN_URL TOPIC_ARN AWS_ENDPOINT_URL_SNS AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
