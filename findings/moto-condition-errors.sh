#!/bin/sh
# moto 5.2.5 ends in an error of Python's for conditions that DynamoDB holds for false: one with the size of an attribute that does
# not exist, and one that compares a number with a string.
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html
#
# Seen with Python 3.11:
#   size(absent) = :n: ValueError
#   n < :s: TypeError
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
    client.put_item(TableName="table", Item={**key, "n": {"N": "1"}})

    def outcome(condition, values):
        try:
            client.delete_item(
                TableName="table", Key=key, ConditionExpression=condition, ExpressionAttributeValues=values
            )
            return "deleted"
        except ClientError as error:
            return error.response["Error"]["Code"]
        except Exception as error:
            return type(error).__name__

    size = outcome("size(absent) = :n", {":n": {"N": "1"}})
    print("size(absent) = :n:", size)
    comparison = outcome("n < :s", {":s": {"S": "2"}})
    print("n < :s:", comparison)
    raise SystemExit(0 if (size, comparison) == ("ValueError", "TypeError") else 1)
PY
venv/bin/python try.py
