"""The compiled loop and the plain one send the very same packets, whatever happens."""

from __future__ import annotations

import importlib.util
import logging
import os
import secrets
import socket
import subprocess
import sys
from array import array
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hatch_build
from peermeet.media import fanout, srtp
from peermeet.media.compiled import CompiledFanOut
from peermeet.media.fanout import FanOut, PlainFanOut, Viewer
from peermeet.media.peer import Peer
from peermeet.media.sdp import Kind
from peermeet.media.seat import SeatWriter
from peermeet.media.twcc import Arrivals, Departures
from tests.media.test_peer import session
from tests.media.test_seat import ORIENTATION_ID, STARTS, TRANSPORT_CC_ID, Source

EVENTS = st.lists(
    st.sampled_from(
        ["next"] * 8
        + "key switch turn gate lost swapped jump tilted moved shut full padding".split()
    ),
    max_size=50,
)


def listener(engine: srtp.Engine, keys: Any, sendto: Any, address: Any) -> SimpleNamespace:
    """As much of a peer as the fan-out asks for, of somebody who sends nothing."""
    return SimpleNamespace(
        agent=SimpleNamespace(sendto=sendto, address=address, heard=array("d", [0.0])),
        seal=engine.sealer(keys),
        outgoing=keys,
        incoming=None,
        departures=Departures(),
        arrivals=Arrivals(),
        allowance=array("d", [0.0, 0.0]),
        controls=array("d", [0.0, 0.0]),
        control_rate=0.0,
        counts=array("q", [0, 0]),
        ssrc=1,
        path=None,
    )


class Watcher:
    """Somebody who is shown a source, as much of a peer as the fan-out asks for."""

    def __init__(self, fan: FanOut, engine: srtp.Engine, kind: Kind, place: int) -> None:
        self.ears = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.ears.bind(("127.0.0.1", 0))
        self.ears.setblocking(False)
        self.mouth = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.session, self._incoming = session(inbound=False), session(inbound=True)
        self.peer = listener(engine, self.session, self.mouth.sendto, self.ears.getsockname())
        self.writer = SeatWriter(
            str(place),
            kind,
            100,
            engine.sealing,
            ssrc=99 + place,
            state=fan.state(),
            rtx_payload_type=101,
            mid_id=1,
            orientation_id=ORIENTATION_ID,
            transport_cc_id=TRANSPORT_CC_ID if place else 0,
        )
        fan.follow(cast(Peer, self.peer))

    @property
    def viewer(self) -> Viewer:
        return (self.writer, cast(Peer, self.peer))

    def heard(self) -> list[bytes]:
        found = []
        while True:
            try:
                found.append(self._incoming.unprotect(self.ears.recv(2048)))
            except BlockingIOError:
                return found

    def close(self) -> None:
        self.ears.close()
        self.mouth.close()


class Room:
    """Two sources, three watchers, and one way to fan out."""

    def __init__(self, fan: FanOut, engine: srtp.Engine, kind: Kind, starts: tuple[int, int]):
        self.fan, self.kind = fan, kind
        self.sources = [
            Source(1, starts[0], 7, kind, fan.intake()),
            Source(2, starts[1], 99, kind, fan.intake()),
        ]
        self.watchers = [Watcher(fan, engine, kind, place) for place in range(3)]
        self.viewers = tuple(watcher.viewer for watcher in self.watchers)
        self.ready = fan.settle(self.sources[0].layer, self.viewers, True, True)
        for watcher in self.watchers:
            watcher.writer.point(self.sources[0].layer)

    def live(self, events: list[str]) -> list[Any]:
        """What everybody got after each event, and how many copies the fan-out says went out."""
        now, told = 100.0, list[Any]()
        for event in ["key", *events, "key", "next"]:
            now += 0.03
            told.append((event, self._happen(event, now), [w.heard() for w in self.watchers]))
        for watcher in self.watchers:
            state = watcher.writer.state
            told.append((state.packets, state.octets, state.last_sequence))
            told.append((watcher.writer.is_waiting, list(watcher.peer.departures.sizes)))
            watcher.close()
        return told

    def _happen(self, event: str, now: float) -> int:
        first, second = self.watchers[0], self.watchers[1]
        if event in ("switch", "turn"):
            self.sources.reverse()
            layer = self.sources[0].layer
            for watcher in self.watchers[:2]:
                writer = watcher.writer
                writer.point(layer) if event == "switch" else writer.turn_to(layer)
        elif event == "gate":
            for watcher in self.watchers:
                watcher.writer.pause()
        elif event == "jump":
            self.sources[0].sequence += 5000
        elif event == "lost":
            self.sources[0].packet()
        elif event == "moved":
            first.peer.agent.address = second.ears.getsockname()
            self.fan.follow(cast(Peer, first.peer))
        elif event == "shut":
            second.peer.seal = second.peer.outgoing = None
            self.fan.follow(cast(Peer, second.peer))
        elif event == "full":
            first.peer.agent.address = ("127.0.0.1", 0)
            self.fan.follow(cast(Peer, first.peer))
        sent = 0
        for source in self.sources if event == "turn" else self.sources[:1]:
            key = event in ("key", "turn")
            packets = [source.packet(key, orientation=2 if event == "tilted" else None)]
            if event == "swapped":
                packets.insert(0, source.packet())
            if event == "padding":
                packets.append(padding_after(source))
            for packet in packets:
                taken = source.take(packet, now)
                if taken is not None:
                    sent += self.fan.send(source.layer, self.viewers, self.ready, taken, now)
        return sent


def padding_after(source: Source) -> bytes:
    packet = bytearray(source.packet())
    at = 12 + 4 + 4 * int.from_bytes(packet[14:16], "big")
    packet[0] |= 0x20
    return bytes(packet[:at]) + bytes(19) + b"\x14"


def compiled(counters: Counter[str]) -> tuple[FanOut, srtp.Engine]:
    engine = srtp.FastEngine()
    return CompiledFanOut(engine, counters), engine


def plain(counters: Counter[str]) -> tuple[FanOut, srtp.Engine]:
    engine = srtp.FastEngine()
    return PlainFanOut(engine, counters), engine


@settings(max_examples=150, deadline=None)
@given(EVENTS, STARTS, STARTS, st.sampled_from(["video", "audio"]))
def test_both_ways_send_the_same_bytes(
    events: list[str], first: int, second: int, kind: Kind
) -> None:
    lives = []
    for make in (plain, compiled):
        counters: Counter[str] = Counter()
        with pytest.MonkeyPatch.context() as chance:
            for name in ("randbelow", "randbits"):
                chance.setattr(secrets, name, lambda _: 77)
            # The first bytes of a picture matter, the noise behind them does not.
            chance.setattr(secrets, "token_bytes", bytes)
            told = Room(*make(counters), kind, (first, second)).live(events)
        lives.append((told, counters))
    assert lives[0] == lives[1]
    assert sum(len(heard) for _, _, heard in lives[0][0][:1] for heard in heard) == 3


def test_a_worker_takes_the_compiled_loop_and_says_when_it_cannot(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert isinstance(fanout.choose(srtp.FastEngine(), Counter()), CompiledFanOut)
    monkeypatch.setitem(sys.modules, "peermeet.media._fanout", None)
    monkeypatch.delitem(sys.modules, "peermeet.media.compiled")
    with caplog.at_level(logging.WARNING):
        assert type(fanout.choose(srtp.FastEngine(), Counter())) is PlainFanOut
    assert "forwarding in plain Python" in caplog.text
    assert type(fanout.choose(srtp.PublicEngine(), Counter())) is PlainFanOut


SANITIZED = """
import importlib.util, sys
spec = importlib.util.spec_from_file_location("peermeet.media._fanout", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
sys.modules["peermeet.media._fanout"] = module
import pytest
sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", *sys.argv[2:], "-k", "both_ways"]))
"""


@pytest.mark.skipif("PEERMEET_SANITIZED" in os.environ, reason="this is that run")
def test_the_compiled_loop_stays_within_its_memory(tmp_path: Path) -> None:
    compiled_too = str(Path(__file__).with_name("test_compiled.py"))
    options = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g")
    loop = hatch_build.compile_loop(tmp_path, *options)
    preloaded = [
        subprocess.run(["gcc", f"-print-file-name={name}"], capture_output=True, text=True)
        for name in ("libasan.so", "libubsan.so")
    ]
    run = subprocess.run(
        [sys.executable, "-c", SANITIZED, str(loop), __file__, compiled_too],
        env={
            **os.environ,
            "LD_PRELOAD": ":".join(each.stdout.strip() for each in preloaded),
            # Python itself keeps memory until the end.
            "ASAN_OPTIONS": "detect_leaks=0",
            "PEERMEET_SANITIZED": "1",
        },
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert run.returncode == 0, run.stdout[-4000:] + run.stderr[-4000:]
    assert "2 passed" in run.stdout


def test_a_compiler_that_fails_leaves_the_package_without_the_loop(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(hatch_build, "OPTIONS", ("-no-such-option",))
    built: dict[str, Any] = {"artifacts": []}
    hook = hatch_build.CustomBuildHook.__new__(hatch_build.CustomBuildHook)
    hook.initialize("editable", built)
    assert built == {"artifacts": []}
    assert "not compiled" in capsys.readouterr().err
    assert importlib.util.find_spec("peermeet.media._fanout") is not None
