"""Prints a session's messages as lines of JSON, until SIGINT or SIGTERM ends it."""

import argparse
import asyncio
import json
import logging
import os
import signal
import sys
from dataclasses import asdict
from pathlib import Path
from urllib.request import urlopen

from relay_client import Message, RelayClient, StreamPiece, Superseded


async def token() -> str:
    """A new token for each connection. Replace it by what your identity provider's library does."""

    def fetch() -> str:
        with urlopen(os.environ["TOKEN_URL"], timeout=10) as answer:
            return answer.read().decode()

    return await asyncio.to_thread(fetch)


def tell(event: str, **details: object) -> None:
    print(json.dumps({"event": event, **details}), flush=True)


async def on_message(message: Message) -> None:
    tell("message", seq=message.seq, id=message.id, body=message.body)


async def on_stream(piece: StreamPiece) -> None:
    tell("stream", **asdict(piece))


async def on_gap(first: int, lost: str) -> None:
    tell("gap", first=first, lost=lost)


async def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--context", required=True, help="the feature, as the backend addresses it")
    add("--context-id", required=True, help="the entity, as the backend addresses it")
    add("--cursor", required=True, type=Path, help="the file that keeps the position: one for each client and session")
    add("--start", choices=["acknowledged", "oldest"], default="acknowledged", help="where to begin without the file")
    add("--lifetime-seconds", type=float, default=7_200, help="of a connection (default: %(default)s)")
    add("--idle-seconds", type=float, default=10, help="without a frame until a first ping (default: %(default)s)")
    add("--answer-seconds", type=float, default=10, help="to wait for an answer (default: %(default)s)")
    add("--stream-timeout-seconds", type=float, default=45, help="of a stream without a chunk (default: %(default)s)")
    arguments = parser.parse_args()

    client = RelayClient(
        os.environ["WEBSOCKET_URL"],
        context=arguments.context,
        context_id=arguments.context_id,
        token=token,
        cursor_file=arguments.cursor,
        on_message=on_message,
        on_gap=on_gap,
        on_stream=on_stream,
        start=arguments.start,
        lifetime_seconds=arguments.lifetime_seconds,
        idle_seconds=arguments.idle_seconds,
        answer_seconds=arguments.answer_seconds,
        stream_timeout_seconds=arguments.stream_timeout_seconds,
    )
    running = asyncio.create_task(client.run())
    loop = asyncio.get_running_loop()
    for ending in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(ending, running.cancel)
    tell("receiving")
    try:
        await running
    except asyncio.CancelledError:
        return 0
    except Superseded:
        tell("superseded")
        return 3
    return 0


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    sys.exit(asyncio.run(main()))
