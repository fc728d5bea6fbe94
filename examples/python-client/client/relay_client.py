"""A client of a relay, written from docs/protocol.md, which has the rules that the comments name by their numbers."""

import asyncio
import json
import logging
import os
import random
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import Literal
from urllib.parse import quote, urlencode

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

SUBPROTOCOL = "websocket-relay.v1"
HANDSHAKE_SECONDS = 30
GAP_SECONDS = 0.25
LONGEST_IDLE_SECONDS = 330
LONGEST_PAUSE_SECONDS = 60
MAX_EARLY = 1_000
CHUNK_TYPE = "websocket-relay.stream"
MAX_OVER = 100

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Message:
    """What the backend has published: `body` is unchanged, `id` is the backend's.

    The relay joins chunks of one stream, which are the messages `first` to `seq`. Otherwise `first` is `seq`.
    """

    epoch: str
    first: int
    seq: int
    id: str
    body: str


@dataclass(frozen=True)
class StreamPiece:
    """Text of a stream, in order: `offset` is the length of the text before it, in UTF-16 code units.

    `status`: "open", or how the stream has ended: "closed" (the text is complete), "aborted" by the backend, for `reason`, or
    "timed-out" (nothing has come for a while). A stream that begins again at 0 replaces what an earlier run has shown.
    """

    id: str
    offset: int
    text: str
    status: Literal["open", "closed", "aborted", "timed-out"]
    reason: str | None = None


class Superseded(Exception):
    """Another client has the session. Connect again only if the user wants the session back."""


class _Lost(Exception):
    """A connection is of no more use, and another one has to be opened."""


@dataclass(frozen=True)
class _Cursor:
    """A position. Without an epoch: number 0 of a session that has never had a message."""

    epoch: str | None
    seq: int


@dataclass
class _Stream:
    """A stream that is not over, or whose last piece is still to be handed over."""

    # The number of its first message.
    start: int
    # When its last chunk has come.
    heard_at: float = field(default_factory=time.monotonic)
    # The length of the text that is in order, in UTF-16 code units, and what of it is to be handed over.
    length: int = 0
    text: str = ""
    # Chunks that came before their turn.
    held: list[dict] = field(default_factory=list)
    status: Literal["open", "closed", "aborted", "timed-out"] = "open"
    reason: str | None = None


@dataclass
class _Connection:
    socket: ClientConnection
    reader: asyncio.Task | None = None
    opened_at: float = field(default_factory=time.monotonic)
    # Why its reader has ended.
    end: Exception | None = None
    # Set by the first `resumed`, or by the end.
    has_resumed: asyncio.Event = field(default_factory=asyncio.Event)
    # Another connection of this client is to replace it: `superseded` is expected.
    is_replaced: bool = False
    is_superseded: bool = False
    # The resume: when to send the next one, and whether that is settled until an answer has come.
    resume_at: float = inf
    is_resume_settled: bool = False
    asked: _Cursor | None = None
    tries: int = 0
    foreign_epoch: str | None = None
    # The answer.
    hello: dict = field(default_factory=dict)
    through: int = 0
    newest: int = 0
    is_answer_empty: bool = False
    # The heartbeat.
    idle_seconds: float = 0
    ping_at: float = inf
    is_pinged: bool = False


class RelayClient:
    """Receives a session's messages in order, each once, over one connection after the other.

    `token` is called for each handshake. `on_message` is called for one message at a time. When it returns, the message
    counts as handled, and the cursor moves in `cursor_file`. After a crash, the last message may come again. `on_gap`
    is called with the number before which messages are missing, and the reason. With `on_stream`, the text of streams is put
    together (rule 11); without it, `on_message` gets their chunks. An error that one of them raises ends the client.

    `start`: where to begin without a cursor. "acknowledged": after what the session's clients have acknowledged.
    `lifetime_seconds`: how long a connection lasts. Set it to the tokens' lifetime if sessions end with their token.
    """

    def __init__(
        self,
        url: str,
        *,
        context: str,
        context_id: str,
        token: Callable[[], Awaitable[str]],
        cursor_file: Path,
        on_message: Callable[[Message], Awaitable[None]],
        on_gap: Callable[[int, str], Awaitable[None]] | None = None,
        on_stream: Callable[[StreamPiece], Awaitable[None]] | None = None,
        start: Literal["acknowledged", "oldest"] = "acknowledged",
        lifetime_seconds: float = 7_200,
        idle_seconds: float = 10,
        answer_seconds: float = 10,
        stream_timeout_seconds: float = 45,
    ) -> None:
        # A space is %20: a plus sign is one itself.
        query = urlencode({"context": context, "contextId": context_id}, quote_via=quote)
        self._url = f"{url}?{query}"
        self._token = token
        self._cursor_file = cursor_file
        self._on_message = on_message
        self._on_gap = on_gap
        self._on_stream = on_stream
        self._start = start
        self._lifetime_seconds = lifetime_seconds
        self._idle_seconds = idle_seconds
        self._answer_seconds = answer_seconds
        self._stream_timeout_seconds = stream_timeout_seconds
        # What has been handled, and what an earlier run has handled: its streams come again, from their beginning.
        self._cursor, self._handled_before = _read_cursor(cursor_file)
        self._acknowledged = self._cursor
        # By their epochs and first numbers.
        self._early: dict[tuple[str, int], dict] = {}
        self._streams: dict[str, _Stream] = {}
        # The IDs of the last streams that are over.
        self._over: dict[str, None] = {}
        self._current: _Connection | None = None
        self._acknowledging: asyncio.Task | None = None
        self._ack_seconds: float | None = None
        # Two connections may feed the cursor at the same time (rule 8).
        self._turn = asyncio.Lock()
        self._closing: set[asyncio.Task] = set()

    async def run(self) -> None:
        """Receives until it is cancelled. Raises Superseded when another client has the session."""
        failures = 0
        try:
            while True:
                try:
                    connection = await self._replace()
                except (_Lost, ConnectionClosed) as error:
                    failures += 1
                    log.warning("no connection: %s", error)
                    await self._drop_superseded()
                    await asyncio.sleep(_pause(failures))
                    continue
                # Rule 8: replaced at a random point of its last quarter, before it ends.
                rest = connection.opened_at + self._lifetime_seconds * random.uniform(0.75, 0.95) - time.monotonic()
                await asyncio.wait([connection.reader], timeout=max(rest, 0))
                if connection.end is None:
                    connection.is_replaced = True
                    continue
                if not isinstance(connection.end, (_Lost, ConnectionClosed)):
                    raise connection.end
                log.warning("the connection has ended: %s", connection.end)
                self._discard(connection)
                self._current = None
                failures = 1 if time.monotonic() - connection.opened_at >= 5 else failures + 1
                await asyncio.sleep(_pause(failures))
        finally:
            await self._close()

    # Connections.

    async def _replace(self) -> _Connection:
        """Returns a new connection once the relay has answered its resume, and closes the one before it."""
        old = self._current
        try:
            async with asyncio.timeout(HANDSHAKE_SECONDS):
                new = await self._open()
        except Exception as error:
            # Of many kinds: websockets' own, the network's, those of `token`.
            raise _Lost(f"{type(error).__name__}: {error}") from error
        new.reader = asyncio.create_task(self._read(new))
        try:
            await new.has_resumed.wait()
        finally:
            if self._current is not new:
                self._discard(new)
        if self._current is not new:
            raise new.end
        if old is not None:
            # Not while it hands over a message.
            async with self._turn:
                self._discard(old)
        return new

    async def _drop_superseded(self) -> None:
        """Rule 8: where its replacement has failed, a connection is still good unless it was superseded meanwhile."""
        old = self._current
        if old is not None and (old.is_superseded or old.end is not None):
            async with self._turn:
                self._discard(old)
            self._current = None

    async def _open(self) -> _Connection:
        socket = await connect(
            self._url,
            subprotocols=[SUBPROTOCOL],
            additional_headers={"Authorization": f"Bearer {await self._token()}"},
            open_timeout=None,
            close_timeout=1,
            # The protocol has a heartbeat of its own.
            ping_interval=None,
        )
        connection = _Connection(socket, idle_seconds=self._idle_seconds)
        self._heard(connection)
        return connection

    def _discard(self, connection: _Connection) -> None:
        """Closes a connection, and ignores what still comes over it. A dead one does not hold up what follows."""
        if connection.reader is not None:
            connection.reader.cancel()
        closing = asyncio.create_task(connection.socket.close())
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)

    async def _close(self) -> None:
        if self._acknowledging is not None:
            self._acknowledging.cancel()
        if self._current is not None:
            self._current.reader.cancel()
            await asyncio.wait([self._current.reader])
            # Rule 6: before it is closed, and when it was superseded.
            await self._acknowledge()
            self._discard(self._current)
        await asyncio.gather(*self._closing, return_exceptions=True)

    async def _read(self, connection: _Connection) -> None:
        try:
            await self._resume(connection)
            while True:
                due = min(connection.resume_at, connection.ping_at, self._streams_at(connection))
                try:
                    async with asyncio.timeout_at(asyncio.get_running_loop().time() + due - time.monotonic()):
                        frame = await connection.socket.recv()
                except TimeoutError:
                    await self._act(connection)
                    continue
                async with self._turn:
                    await self._take(connection, frame)
        except Exception as error:
            connection.end = error
            connection.has_resumed.set()

    # Heartbeat and resume: what is due.

    async def _act(self, connection: _Connection) -> None:
        now = time.monotonic()
        if now >= connection.resume_at:
            await self._resume(connection)
        elif now >= connection.ping_at:
            if connection.is_pinged:
                raise _Lost("no answer to a ping")
            connection.is_pinged = True
            connection.ping_at = now + self._answer_seconds
            await _send(connection, {"action": "ping"})
        elif now >= self._streams_at(connection):
            async with self._turn:
                await self._time_out(connection)

    def _heard(self, connection: _Connection) -> None:
        """Rule 7: a frame has come, so the connection is alive."""
        connection.is_pinged = False
        # A random part shorter, so that clients that connected together do not ping together.
        connection.ping_at = time.monotonic() + connection.idle_seconds * random.uniform(0.7, 1)

    async def _resume(self, connection: _Connection) -> None:
        cursor = self._safe_cursor()
        frame: dict = {"action": "resume"}
        if cursor is None:
            frame["from"] = self._start
        elif cursor.epoch is None:
            frame["from"] = "oldest"
        else:
            frame["cursor"] = {"epoch": cursor.epoch, "seq": cursor.seq}
            if self._cursor.seq > cursor.seq:
                frame["after"] = self._cursor.seq
        connection.asked = cursor
        connection.tries += 1
        self._resume_in(connection, self._answer_seconds + _pause(connection.tries))
        connection.idle_seconds = self._idle_seconds
        await _send(connection, frame)

    def _resume_in(self, connection: _Connection, seconds: float) -> None:
        """Settles the next resume, unless an answer comes before."""
        connection.resume_at = time.monotonic() + seconds
        connection.is_resume_settled = True

    def _plan_resume(self, connection: _Connection, has_moved: bool) -> None:
        """Rule 4: when to ask for what is missing. `has_moved`: an answer or the next message in order has come."""
        if connection.is_resume_settled or connection.is_superseded:
            return
        if connection.resume_at != inf and not has_moved:
            return
        if self._cursor.seq < connection.through:
            wait = self._answer_seconds + _pause(connection.tries)
        elif max(self._cursor.seq, connection.through) < connection.newest:
            wait = GAP_SECONDS if connection.is_answer_empty else 0
        elif self._early:
            wait = GAP_SECONDS
        else:
            wait = inf
        connection.resume_at = time.monotonic() + wait

    # Frames.

    async def _take(self, connection: _Connection, frame: str | bytes) -> None:
        was_pinged = connection.is_pinged
        self._heard(connection)
        content = json.loads(frame)
        for envelope in content if isinstance(content, list) else [content]:
            kind = envelope.get("type")
            if kind == "hello":
                connection.hello = envelope
                self._ack_seconds = envelope.get("ackSeconds")
            elif kind == "resumed":
                await self._take_resumed(connection, envelope)
            elif kind == "message":
                await self._take_message(connection, envelope)
            elif kind == "superseded":
                self._take_superseded(connection)
            elif kind == "error":
                self._take_error(connection, envelope)
            elif kind == "pong":
                connection.idle_seconds = min(connection.idle_seconds * 2, LONGEST_IDLE_SECONDS)
                self._heard(connection)
            elif kind is None and "message" in envelope:
                self._take_gateway_error(connection, envelope, was_pinged)

    async def _take_resumed(self, connection: _Connection, resumed: dict) -> None:
        """Rule 2: the cursor is the answer's."""
        hello, asked = connection.hello, connection.asked
        epoch, first, lost = hello.get("epoch"), resumed["first"], resumed.get("lost")
        connection.is_resume_settled = False
        connection.tries = 0
        connection.through, connection.newest = resumed["through"], hello["newest"]
        connection.is_answer_empty = resumed["through"] < first

        was_empty = asked is not None and asked.epoch is None
        if lost is None and was_empty and first > 1:
            lost = "expired"
        if lost is not None and self._on_gap is not None:
            await self._on_gap(first, lost)
        if lost in ("epoch", "ahead"):
            self._handled_before = 0
        for stream in self._streams.values():
            stream.heard_at = time.monotonic()
            if lost is not None:
                # What was before is not sent again.
                stream.start = first

        answered = _Cursor(epoch, first - 1)
        # Messages have come since the resume was sent.
        has_gone_on = (
            lost != "ahead"
            and self._cursor is not None
            and self._cursor.epoch == epoch
            and self._cursor.seq > answered.seq
        )
        self._acknowledged = asked if resumed["recovered"] and asked is not None and not was_empty else answered
        if not has_gone_on:
            self._cursor = answered
            if epoch is None and self._early:
                self._cursor = _Cursor(next(iter(self._early))[0], 0)
            self._store_cursor()
        self._early = {
            (of, first): message
            for (of, first), message in self._early.items()
            if of == self._cursor.epoch and message["seq"] > self._cursor.seq
        }
        await self._handle()
        self._acknowledge_soon()
        self._plan_resume(connection, has_moved=True)
        # Rule 3: it was of a later history than the answer, or a late one of an earlier history.
        if connection.foreign_epoch not in (None, epoch):
            self._resume_in(connection, 0)
        connection.foreign_epoch = None
        if not connection.has_resumed.is_set():
            self._current = connection
            connection.has_resumed.set()

    async def _take_message(self, connection: _Connection, message: dict) -> None:
        """Rule 3: in order, each number once."""
        epoch, seq = message["epoch"], message["seq"]
        first = _first_of(message)
        if self._cursor is not None and self._cursor.epoch is None:
            self._cursor = _Cursor(epoch, 0)
        if self._cursor is not None:
            if epoch != self._cursor.epoch:
                if connection.is_resume_settled:
                    connection.foreign_epoch = epoch
                else:
                    self._resume_in(connection, 0)
                return
            if seq <= self._cursor.seq:
                return
        is_next = self._cursor is not None and first <= self._cursor.seq + 1
        known = self._early.get((epoch, first))
        if (is_next or len(self._early) < MAX_EARLY) and (known is None or known["seq"] < seq):
            self._early[epoch, first] = message
        if self._cursor is not None:
            self._plan_resume(connection, has_moved=await self._handle())

    async def _handle(self) -> bool:
        """Hands over the messages that are next in order. False if there is none."""
        has_moved, is_settled = False, True
        while message := self._next():
            epoch, seq = message["epoch"], message["seq"]
            chunk = _chunk_of(message) if self._on_stream is not None else None
            if chunk is not None:
                self._take_chunk(chunk, _first_of(message))
            elif not message.get("expired") and seq > self._handled_before:
                await self._hand_over_streams()
                await self._on_message(Message(epoch, _first_of(message), seq, message["id"], message["body"]))
            self._cursor = _Cursor(epoch, seq)
            is_settled = chunk is None
            if is_settled:
                # Rule 5: once the message is safe.
                self._settle()
            has_moved = True
        await self._hand_over_streams()
        if not is_settled:
            self._settle()
        return has_moved

    def _next(self) -> dict | None:
        """Takes the early message that is next in order. One that covers several numbers may begin before (rule 3)."""
        number = self._cursor.seq + 1
        for (epoch, first), message in self._early.items():
            if epoch == self._cursor.epoch and first <= number:
                del self._early[epoch, first]
                return message if message["seq"] >= number else self._next()
        return None

    def _settle(self) -> None:
        self._store_cursor()
        self._acknowledge_soon()

    # Streams: rule 11.

    def _take_chunk(self, chunk: dict, first: int) -> None:
        stream_id = chunk["id"]
        if stream_id in self._over:
            return
        stream = self._streams.setdefault(stream_id, _Stream(first))
        stream.heard_at = time.monotonic()
        stream.held.append(chunk)
        stream.held.sort(key=lambda held: held["offset"])
        while stream.status == "open" and stream.held and stream.held[0]["offset"] <= stream.length:
            held = stream.held.pop(0)
            new = _cut(held["text"], stream.length - held["offset"])
            stream.text += new
            stream.length += _length(new)
            if held.get("end") is not None:
                stream.status, stream.reason = held["end"], held.get("reason")

    async def _hand_over_streams(self) -> None:
        """Calls on_stream once for each stream with news: what has come together is one piece."""
        for stream_id, stream in list(self._streams.items()):
            text, stream.text = stream.text, ""
            if text or stream.status != "open":
                offset = stream.length - _length(text)
                await self._on_stream(StreamPiece(stream_id, offset, text, stream.status, stream.reason))
            if stream.status != "open":
                del self._streams[stream_id]
                self._over[stream_id] = None
                if len(self._over) > MAX_OVER:
                    del self._over[next(iter(self._over))]

    def _streams_at(self, connection: _Connection) -> float:
        """When the next stream times out, if none of its chunks comes before."""
        if connection is not self._current or not self._streams:
            return inf
        return min(stream.heard_at for stream in self._streams.values()) + self._stream_timeout_seconds

    async def _time_out(self, connection: _Connection) -> None:
        now = time.monotonic()
        for stream in self._streams.values():
            if stream.heard_at + self._stream_timeout_seconds > now:
                continue
            if connection.resume_at == inf:
                stream.status = "timed-out"
            else:
                # A message is missing, which may be one of its chunks.
                stream.heard_at = now
        await self._hand_over_streams()
        self._settle()

    def _take_superseded(self, connection: _Connection) -> None:
        """Rules 8 and 9: expected if this client replaces the connection, also if its attempt has failed."""
        if not connection.is_replaced:
            raise Superseded("another client has connected to the session")
        connection.is_superseded = True
        connection.resume_at = inf

    def _take_error(self, connection: _Connection, error: dict) -> None:
        log.warning("error %s: %s", error["code"], error["message"])
        if error["code"] == "no-session":
            raise _Lost("the relay does not know the connection")
        if error["code"] == "unavailable":
            self._resume_later(connection)
        elif error["code"] == "bad-request" and error.get("action") != "ack":
            # A bug of this client: the same frame would be refused again.
            connection.resume_at = inf

    def _take_gateway_error(self, connection: _Connection, error: dict, was_pinged: bool) -> None:
        log.warning("API Gateway: %s", error["message"])
        if error["message"] not in ("Too Many Requests", "Internal server error"):
            return
        if not was_pinged:
            self._resume_later(connection)
        elif error["message"] == "Too Many Requests":
            # At least twice as long after the random part, too.
            connection.idle_seconds = min(connection.idle_seconds * random.uniform(3, 4), LONGEST_IDLE_SECONDS)
            self._heard(connection)

    def _resume_later(self, connection: _Connection) -> None:
        connection.tries += 1
        self._resume_in(connection, _pause(connection.tries))

    # The cursor: kept and acknowledged.

    def _safe_cursor(self) -> _Cursor | None:
        """Rule 11: the cursor, which waits before the first chunk of the oldest stream that is not over."""
        start = min((stream.start for stream in self._streams.values()), default=inf)
        if self._cursor is None or self._cursor.seq < start:
            return self._cursor
        return _Cursor(self._cursor.epoch, start - 1)

    def _store_cursor(self) -> None:
        cursor = self._safe_cursor()
        if cursor.epoch is None:
            self._cursor_file.unlink(missing_ok=True)
            return
        # Renamed in one step: a crash leaves the former cursor or this one.
        written = self._cursor_file.with_name(f"{self._cursor_file.name}.new")
        stored = {"epoch": cursor.epoch, "seq": cursor.seq}
        handled = max(self._cursor.seq, self._handled_before)
        if handled > cursor.seq:
            stored["handled"] = handled
        written.write_text(json.dumps(stored))
        os.replace(written, self._cursor_file)

    def _acknowledge_soon(self) -> None:
        seconds = self._ack_seconds
        if seconds is None or self._acknowledging is not None or self._safe_cursor() == self._acknowledged:
            return

        async def acknowledge() -> None:
            # In time where the machine is busy, too.
            await asyncio.sleep(seconds * 0.8)
            self._acknowledging = None
            await self._acknowledge()

        self._acknowledging = asyncio.create_task(acknowledge())

    async def _acknowledge(self) -> None:
        """Rule 6. One that is lost with its connection needs no repetition: the next resume acknowledges."""
        cursor, connection = self._safe_cursor(), self._current
        if connection is None or cursor is None or cursor.epoch is None or cursor == self._acknowledged:
            return
        try:
            await _send(connection, {"action": "ack", "cursor": {"epoch": cursor.epoch, "seq": cursor.seq}})
        except ConnectionClosed:
            return
        self._acknowledged = cursor


async def _send(connection: _Connection, frame: dict) -> None:
    await connection.socket.send(json.dumps(frame))


def _pause(failures: int) -> float:
    """Seconds, at random up to a bound that doubles from 1 s to 60 s: clients that failed together come back apart."""
    return random.uniform(0, min(2.0 ** (failures - 1), LONGEST_PAUSE_SECONDS))


def _first_of(message: dict) -> int:
    """The first number that an envelope covers."""
    first = message.get("first")
    return message["seq"] if first is None else first


def _chunk_of(message: dict) -> dict | None:
    """The chunk of a stream that the message's body is."""
    body = message.get("body")
    if body is None or CHUNK_TYPE not in body:
        return None
    try:
        chunk = json.loads(body)
    except ValueError:
        return None
    is_chunk = (
        isinstance(chunk, dict)
        and chunk.get("type") == CHUNK_TYPE
        and isinstance(chunk.get("id"), str)
        and re.fullmatch("[ -~]{1,100}", chunk["id"]) is not None
        and type(chunk.get("offset")) is int
        and chunk["offset"] >= 0
        and isinstance(chunk.get("text"), str)
        and chunk.get("end") in (None, "closed", "aborted")
        and isinstance(chunk.get("reason"), (str, type(None)))
    )
    return chunk if is_chunk else None


def _length(text: str) -> int:
    """Offsets count UTF-16 code units. A chunk may end between the two of a character."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _cut(text: str, units: int) -> str:
    return text.encode("utf-16-le", "surrogatepass")[2 * units :].decode("utf-16-le", "surrogatepass")


def _read_cursor(file: Path) -> tuple[_Cursor | None, int]:
    """The cursor, and the last number that was handled."""
    try:
        text = file.read_text()
    except FileNotFoundError:
        return None, 0
    try:
        stored = json.loads(text)
        cursor = _Cursor(str(stored["epoch"]), int(stored["seq"]))
        return cursor, int(stored.get("handled", cursor.seq))
    except (ValueError, TypeError, KeyError):
        raise ValueError(f"{file}: got {text!r}; allowed: a cursor that this client wrote; delete the file") from None
