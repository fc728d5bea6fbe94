"""Publishes a message to a user: python publish.py --user 42 --context chat --context-id 7 "Your report is ready"."""

import argparse
import os
from datetime import datetime, timedelta, timezone

import boto3

from relay import publish


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--user", required=True, help="the user's code, as the token has it")
    parser.add_argument("--context", required=True, help="the feature, as the client gives it")
    parser.add_argument("--context-id", required=True, help="the entity, as the client gives it")
    parser.add_argument("--message-id", help="your own id of the message (default: a random UUID)")
    parser.add_argument("--expires-in-seconds", type=int, default=86_400, help="default: a day")
    parser.add_argument("message", nargs="+", help="each is published once the one before it was accepted")
    arguments = parser.parse_args()
    if arguments.message_id and len(arguments.message) > 1:
        parser.error("--message-id: it is the id of one message, and several were given")

    topic_arn = os.environ["TOPIC_ARN"]
    sns = boto3.client("sns", region_name=topic_arn.split(":")[3])
    for message in arguments.message:
        message_id = publish(
            sns,
            topic_arn,
            user=arguments.user,
            context=arguments.context,
            context_id=arguments.context_id,
            message=message,
            message_id=arguments.message_id,
            expires_at=datetime.now(timezone.utc) + timedelta(seconds=arguments.expires_in_seconds),
        )
        print(message_id, flush=True)


if __name__ == "__main__":
    main()
