#!/bin/sh
# moto 5.2.5 refuses items that fit into DynamoDB's 400 KB (409,600 bytes): where an update replaces an attribute, it counts
# the old value and the new one, and its limit is 405,000 bytes.
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
#
# Seen with Python 3.11:
#   an update from a string of 300,000 bytes to another one: ValidationException
#   an item of 408,000 bytes: ValidationException
#
# Exits 0 while that is so, and otherwise with another status.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check "moto[dynamodb]==5.2.5"

cat > try.py <<'PY'
import boto3
from botocore.exceptions import ClientError
from moto import mock_aws

with mock_aws():
    client = boto3.client("dynamodb", "us-east-1", aws_access_key_id="a", aws_secret_access_key="a")
    client.create_table(
        TableName="table",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    )

    def outcome(call, **arguments):
        try:
            call(TableName="table", **arguments)
            return "stored"
        except ClientError as error:
            return error.response["Error"]["Code"]

    key = {"id": {"S": "1"}}
    client.put_item(TableName="table", Item={**key, "a": {"S": "x" * 300_000}})
    update = outcome(
        client.update_item,
        Key=key,
        UpdateExpression="SET a = :a",
        ExpressionAttributeValues={":a": {"S": "y" * 300_000}},
    )
    print("an update from a string of 300,000 bytes to another one:", update)
    large = outcome(client.put_item, Item={**key, "a": {"S": "x" * 407_996}})
    print("an item of 408,000 bytes:", large)
    raise SystemExit(0 if {update, large} == {"ValidationException"} else 1)
PY
venv/bin/python try.py
