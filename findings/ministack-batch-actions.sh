#!/bin/sh
# ministack 1.5.33, with AUTH=true, asks for an IAM action sqs:SendMessageBatch, which does not exist: on AWS the right to
# SendMessage is the right to its batch. So it is for the other batches of SQS, and for PublishBatch of SNS.
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsqs.html
#
# Seen with Python 3.11:
#   ministack 1.5.33
#   SendMessage: accepted
#   SendMessageBatch: User: … is not authorized to perform: sqs:SendMessageBatch because no identity-based policy allows …
#
# Exits 0 while that is so, and otherwise with another status.
set -eu

folder=$(mktemp -d)
server=
trap 'if [ -n "$server" ]; then kill "$server"; wait "$server" || true; fi; rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check ministack==1.5.33

port=$(python/bin/python -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
GATEWAY_PORT=$port BIND_HOST=127.0.0.1 AUTH=true TMPDIR=$folder SFTP_ENABLED=0 IOT_MTLS_ENABLED=0 \
  AWS_ACCESS_KEY_ID=root AWS_SECRET_ACCESS_KEY=root python/bin/ministack > log 2>&1 &
server=$!
for _ in $(seq 100); do
  if grep -q "Running on" log; then break; fi
  sleep 0.2
done

cat > try.py <<'PY'
import json
import sys

from importlib.metadata import version

from botocore.session import Session

port = int(sys.argv[1])
endpoint = f"http://127.0.0.1:{port}"
print("ministack", version("ministack"))


def client(service, access_key="root", secret_key="root"):
    return Session().create_client(
        service,
        region_name="us-east-1",
        endpoint_url=endpoint,
        aws_access_key_id=access_key,
        aws_secret_access_key=secret_key,
    )


queue = client("sqs").create_queue(QueueName="queue")["QueueUrl"]
iam = client("iam")
iam.create_user(UserName="sender")
statement = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"}
document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
iam.put_user_policy(UserName="sender", PolicyName="send", PolicyDocument=document)
key = iam.create_access_key(UserName="sender")["AccessKey"]
sqs = client("sqs", key["AccessKeyId"], key["SecretAccessKey"])


def outcome(send):
    try:
        send()
        return "accepted"
    except sqs.exceptions.ClientError as error:
        return error.response["Error"]["Message"]


single = outcome(lambda: sqs.send_message(QueueUrl=queue, MessageBody="one"))
entries = [{"Id": "1", "MessageBody": "one"}]
batch = outcome(lambda: sqs.send_message_batch(QueueUrl=queue, Entries=entries))
print("SendMessage:", single)
print("SendMessageBatch:", batch)
sys.exit(0 if single == "accepted" and "sqs:SendMessageBatch" in batch else 1)
PY
python/bin/python try.py "$port"
