"""The client under test of `pulumi-websocket-relay conformance`, which docs/conformance.md describes."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from urllib.request import urlopen

from relay_client import Message, RelayClient, Superseded

HANDLE_SECONDS = float(os.environ.get("RELAY_HANDLE_MS", 0)) / 1_000


async def token() -> str:
    def fetch() -> str:
        with urlopen(os.environ["RELAY_TOKEN_URL"], timeout=10) as answer:
            return answer.read().decode()

    return await asyncio.to_thread(fetch)


def tell(kind: str, **details: object) -> None:
    print(json.dumps({"type": kind, **details}), flush=True)


async def on_message(message: Message) -> None:
    await asyncio.sleep(HANDLE_SECONDS)
    tell("message", seq=message.seq, body=message.body)


async def on_gap(first: int, lost: str) -> None:
    tell("gap", first=first, lost=lost)


async def main() -> None:
    client = RelayClient(
        os.environ["RELAY_URL"],
        context=os.environ["RELAY_CONTEXT"],
        context_id=os.environ["RELAY_CONTEXT_ID"],
        token=token,
        cursor_file=Path(os.environ["RELAY_STATE_FOLDER"], "cursor.json"),
        on_message=on_message,
        on_gap=on_gap,
        start=os.environ.get("RELAY_FROM", "acknowledged"),
        lifetime_seconds=float(os.environ.get("RELAY_CONNECTION_SECONDS", 7_200)),
    )
    running = asyncio.create_task(client.run())
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
    try:
        await running
    except asyncio.CancelledError:
        return
    except Superseded:
        tell("superseded")


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
