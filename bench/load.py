"""A crowd that loads a worker: members whose packets are sent and received by load.c.

The members connect in Python (`bench.member`); their sockets and SRTP sessions then belong to C
for as long as a run takes, so that one core is enough for two hundred people. All packets are
opened; each carries the time when it left, the kernel stamps it when it arrives.
"""

from __future__ import annotations

import ctypes
import socket
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pylibsrtp._binding import ffi, lib

from bench import compiled
from bench.member import Member

OPUS_BYTES: Final = 80
"""Of payload in 20 ms: 32 kbit/s, Chromium's own choice for a voice."""
KEY_FRAME_EVERY_S: Final = 4.0
"""Apart from those that are asked for; it has four times the size of another frame."""
TRAILER_BYTES: Final = 16
"""What AES-GCM adds to a packet."""

# As in load.c.
_MAX_SSRCS = 64
_MAX_ARRIVALS = 512


class _Library(ctypes.Structure):
    _fields_ = [
        (name, ctypes.c_void_p)
        for name in ("protect", "unprotect", "protect_rtcp", "unprotect_rtcp")
    ]


class _Person(ctypes.Structure):
    _fields_ = [
        ("fd", ctypes.c_int32),
        ("port", ctypes.c_uint16),
        ("sources", ctypes.c_uint16),
        ("address", ctypes.c_uint32),
        ("ssrcs", ctypes.c_uint32 * _MAX_SSRCS),
        ("tx", ctypes.c_void_p),
        ("rx", ctypes.c_void_p),
        ("received", ctypes.c_uint64),
        ("refused", ctypes.c_uint64),
        ("controls", ctypes.c_uint64),
        ("numbers_transport", ctypes.c_uint8),
        ("feedbacks", ctypes.c_uint8),
        ("number", ctypes.c_uint16),
        ("arrivals", ctypes.c_uint16),
        ("ssrc", ctypes.c_uint32),
        ("arrived", ctypes.c_uint16 * _MAX_ARRIVALS),
        ("arrived_ns", ctypes.c_uint64 * _MAX_ARRIVALS),
    ]


class _Stream(ctypes.Structure):
    _fields_ = [
        ("person", ctypes.c_uint32),
        ("ssrc", ctypes.c_uint32),
        ("is_video", ctypes.c_uint8),
        ("mid", ctypes.c_uint8),
        ("rid", ctypes.c_uint8),
        ("wants_key", ctypes.c_uint8),
        ("bytes", ctypes.c_uint32),
        ("key_every", ctypes.c_uint32),
        ("frames", ctypes.c_uint32),
        ("sequence", ctypes.c_uint32),
        ("packets", ctypes.c_uint32),
        ("octets", ctypes.c_uint32),
        ("period_s", ctypes.c_double),
        ("due", ctypes.c_double),
    ]


class _Outcome(ctypes.Structure):
    _fields_ = [
        *[
            (name, ctypes.c_uint64)
            for name in (
                "sent",
                "received",
                "refused",
                "audio_sent",
                "audio_received",
                "keys_asked",
                "delays",
                "audio_delays",
            )
        ],
        *[(name, ctypes.c_double) for name in ("took_s", "cpu_s", "late_max_s")],
    ]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one run did; delays in ms, ascending, of all packets and of those with sound."""

    sent: int
    received: int
    refused: int
    """Packets that a member could not open."""
    audio_sent: int
    audio_received: int
    keys_asked: int
    took_s: float
    cpu_s: float
    """Of the crowd itself. Near `took_s`, the crowd is the bottleneck and nothing is measured."""
    late_max_s: float
    delays_ms: Sequence[float]
    audio_delays_ms: Sequence[float]


def percentile(ascending: Sequence[float], percent: float) -> float:
    """The value below which so many percent are; 0 of nothing."""
    if not ascending:
        return 0.0
    return ascending[min(len(ascending) - 1, int(len(ascending) * percent / 100))]


class Crowd:
    """Members (connected; their readers are taken from the loop) and what they send."""

    def __init__(self, members: Sequence[Member], server: tuple[str, int] | None = None) -> None:
        """server: send there instead, and nothing is sealed or opened."""
        self.members: list[Member] = []
        self._server = server
        self._people: list[_Person] = []
        self._streams: list[_Stream] = []
        self._c = ctypes.CDLL(str(compiled.library("load")))
        functions = _Library(
            *(
                int(ffi.cast("uintptr_t", ffi.addressof(lib, f"srtp_{name}")))
                for name in ("protect", "unprotect", "protect_rtcp", "unprotect_rtcp")
            )
        )
        self._c.load_begin(ctypes.byref(functions))
        self.add(members)

    def add(self, members: Sequence[Member]) -> None:
        """These come as well. A member is in one crowd for good: numbers must not repeat."""
        for member in members:
            member.pause()
            host, port = self._server or member.server
            person = _Person(
                fd=member.socket.fileno(),
                port=socket.htons(port),
                address=int.from_bytes(socket.inet_aton(host), "little"),
                numbers_transport=member.numbers_transport and self._server is None,
                ssrc=member.video_ssrc,
            )
            if self._server is None:
                person.tx, person.rx = (_address(session) for session in member.sessions)
            self.members.append(member)
            self._people.append(person)

    def speak(self, person: int) -> None:
        """This member sends 50 packets of sound a second."""
        member = self.members[person]
        self._streams.append(
            _Stream(
                person,
                member.audio_ssrc,
                mid=ord("0"),
                bytes=OPUS_BYTES,
                key_every=1,
                period_s=0.02,
            )
        )

    def show(self, person: int, kbit_s: float, frames_per_s: float, rid: str = "") -> None:
        """This member sends pictures; rid: as this simulcast layer."""
        member = self.members[person]
        self._streams.append(
            _Stream(
                person,
                member.layer_ssrcs[rid] if rid else member.video_ssrc,
                is_video=1,
                mid=ord("1"),
                rid=ord(rid) if rid else 0,
                wants_key=1,
                bytes=int(kbit_s * 125 / frames_per_s),
                key_every=int(KEY_FRAME_EVERY_S * frames_per_s),
                period_s=1 / frames_per_s,
            )
        )

    def run(self, seconds: float) -> Outcome:
        """Everybody at their own rates. Takes so long; call it in a thread."""
        people = (_Person * len(self._people))(*self._people)
        streams = (_Stream * len(self._streams))(*self._streams)
        copies = sum(1 / s.period_s * 16 for s in streams) * len(self._people)
        room = min(4_000_000, int(copies * seconds))
        every, audio = (ctypes.c_float * room)(), (ctypes.c_float * room)()
        outcome = _Outcome()
        if self._c.load_run(
            people,
            len(people),
            streams,
            len(streams),
            ctypes.c_double(seconds),
            every,
            audio,
            ctypes.c_uint64(room),
            ctypes.byref(outcome),
        ):
            raise ValueError("too many streams")
        self._people, self._streams = list(people), list(streams)
        return _outcome(
            outcome,
            sorted(value / 1000 for value in every[: outcome.delays]),
            sorted(value / 1000 for value in audio[: outcome.audio_delays]),
        )

    def flood(
        self, packet_bytes: int, seconds: float, burst: int, copies: int, in_flight: int
    ) -> Outcome:
        """Everybody as fast as copies come back. packet_bytes: RTP header to end of payload.

        copies: of each packet that is sent; in_flight: awaited at most.
        """
        people = (_Person * len(self._people))(*self._people)
        streams = (_Stream * len(self._streams))(*self._streams)
        for stream in streams:
            stream.bytes = packet_bytes - 20
        outcome = _Outcome()
        self._c.load_flood(
            people,
            len(people),
            streams,
            len(streams),
            ctypes.c_double(seconds),
            burst,
            copies,
            ctypes.c_uint64(in_flight),
            ctypes.byref(outcome),
        )
        self._people, self._streams = list(people), list(streams)
        return _outcome(outcome, (), ())

    def sources(self) -> list[int]:
        """From how many sources each member had packets so far (that it could open)."""
        return [person.sources for person in self._people]


def direct_ms(packets: int = 500, packet_bytes: int = 1000) -> float:
    """The yardstick of delay: sendto() to socket with no server between; median, ms."""
    delays = (ctypes.c_float * packets)()
    c = ctypes.CDLL(str(compiled.library("load")))
    came = c.load_direct(packets, packet_bytes, delays)
    return statistics.median(delays[:came]) / 1000


def _outcome(o: _Outcome, every: Sequence[float], audio: Sequence[float]) -> Outcome:
    return Outcome(
        sent=o.sent,
        received=o.received,
        refused=o.refused,
        audio_sent=o.audio_sent,
        audio_received=o.audio_received,
        keys_asked=o.keys_asked,
        took_s=o.took_s,
        cpu_s=o.cpu_s,
        late_max_s=o.late_max_s,
        delays_ms=every,
        audio_delays_ms=audio,
    )


def _address(session: object) -> int:
    return int(ffi.cast("uintptr_t", session._srtp[0]))  # type: ignore[attr-defined]
