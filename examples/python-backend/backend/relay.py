"""Publishes messages to users through the relay's topic, with boto3."""

import hashlib
import json
import re
import uuid
from datetime import datetime, timezone

MAX_MESSAGE_BYTES = 131_072

# SNS accepts these characters and SQS does not, so the message would be lost.
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
NOT_FOR_QUEUES = re.compile(r"[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]")


def publish(
    sns,
    topic_arn: str,
    *,
    user: str,
    context: str,
    context_id: str,
    message: str,
    message_id: str | None = None,
    expires_at: datetime | None = None,
) -> str:
    """Publishes a message to a user, and returns its message id.

    `user` is the user's code as the token has it, `context` and `context_id` are what the client gives in its URL. If a
    call fails, the message may or may not have been published: call again with the same `message_id`, which the relay
    delivers once.

    Raises ValueError for what the relay could never deliver.
    """
    if not user or not context or not context_id or "#" in context:
        raise ValueError("user, context and context_id must not be empty, and context has no #")
    texts = {"user": user, "context": context, "context_id": context_id, "message": message, "message_id": message_id}
    for name, text in texts.items():
        if found := NOT_FOR_QUEUES.search(text or ""):
            raise ValueError(f"{name}: got U+{ord(found[0]):04X}; allowed: the characters that SQS accepts")
    size = len(message.encode())
    if not 1 <= size <= MAX_MESSAGE_BYTES:
        raise ValueError(f"message: {size} bytes; allowed: 1 to {MAX_MESSAGE_BYTES} bytes of UTF-8")
    message_id = message_id or str(uuid.uuid4())
    attributes = {"user": user, "context": context, "contextId": context_id, "messageId": message_id}
    if expires_at is not None:
        if expires_at.tzinfo is None:
            raise ValueError("expires_at: got a time without a time zone; pass one with it, such as timezone.utc")
        attributes["expiresAt"] = expires_at.astimezone(timezone.utc).isoformat(timespec="seconds")
    group = message_group_of(user, context, context_id)
    # A standard topic refuses a deduplication id.
    fifo = {"MessageDeduplicationId": _sha256([group, message_id])} if topic_arn.endswith(".fifo") else {}
    sns.publish(
        TopicArn=topic_arn,
        Message=message,
        MessageAttributes={
            name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
        },
        MessageGroupId=group,
        **fifo,
    )
    return message_id


def message_group_of(user: str, context: str, context_id: str) -> str:
    """The same for all messages of a session, and different for every other session: the order is a group's."""
    return _sha256([f"user#{user}", f"{context}#{context_id}"])


def _sha256(parts: list[str]) -> str:
    """A hash, since SNS takes 128 ASCII characters for a group or a deduplication id, and a user's code is any text."""
    text = json.dumps(parts, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
