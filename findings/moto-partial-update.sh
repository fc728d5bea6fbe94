#!/bin/sh
# moto 5.2.5 keeps a part of an update that fails: of "SET n = :n ADD a :n", where a is a string, the first action stays. With
# DynamoDB an update is atomic: "all or none".
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.UpdateExpressions.html
#
# Seen with Python 3.11:
#   the update: ValidationException
#   n was 1 and is 2
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
    key = {"id": {"S": "1"}}
    client.put_item(TableName="table", Item={**key, "a": {"S": "x"}, "n": {"N": "1"}})
    try:
        client.update_item(
            TableName="table",
            Key=key,
            UpdateExpression="SET n = :n ADD a :n",
            ExpressionAttributeValues={":n": {"N": "2"}},
        )
        error = "none"
    except ClientError as failed:
        error = failed.response["Error"]["Code"]
    n = client.get_item(TableName="table", Key=key)["Item"]["n"]["N"]
    print("the update:", error)
    print("n was 1 and is", n)
    raise SystemExit(0 if (error, n) == ("ValidationException", "2") else 1)
PY
venv/bin/python try.py
