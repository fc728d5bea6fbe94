"""Reads what became of the messages, until it is told to end: python receipts.py."""

import json
import os
import signal
import sys

import boto3


def handle(receipt: dict) -> None:
    """A receipt comes at least once, and in any order: what is done here must bear both."""
    print(json.dumps({key: receipt.get(key) for key in ("status", "reason", "messageId", "user", "seq")}), flush=True)


def main() -> None:
    queue_url = os.environ["RECEIPTS_QUEUE_URL"]
    sqs = boto3.client("sqs")
    # In the middle of a receipt, too: what was not deleted comes again.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    print(json.dumps({"event": "reading", "queue": queue_url}), flush=True)
    while True:
        answer = sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=20)
        for message in answer.get("Messages", []):
            handle(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])


if __name__ == "__main__":
    main()
