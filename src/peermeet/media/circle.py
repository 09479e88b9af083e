"""Who hears and sees whom: the gates of one circle, applied to its connections.

The rule: a packet of seat s goes to seat t only if s's gate for that kind is open and both are
in one space of one circle. Everything is closed until the web process says otherwise. Gates come
whole and closings are applied before openings, so no moment has more open than was asked for.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any, Final

from peermeet.core.model import Gate
from peermeet.media.peer import Peer
from peermeet.media.policy import Places, Selection, Want, assign, select, streams
from peermeet.media.publication import SILENT_LAYER_S, Publication, Showing
from peermeet.media.sdp import Kind, LayerName, Use
from peermeet.media.seat import SeatWriter
from peermeet.media.watch import EVERYTHING, Watch

WITH_HEADERS: Final = 1.04
"""A packet of video by its payload: what is measured is payloads, what is paid is packets."""
KINDS: tuple[Kind, Kind] = ("audio", "video")


class Circle:
    """One circle's gates and connections, by seat id."""

    def __init__(self) -> None:
        self.gates: dict[str, Gate] = {}
        self.marked = False
        """Nothing that is not encrypted from end to end passes (`Layer.marked`)."""
        self.peers: dict[str, Peer] = {}
        self.watches: dict[str, Watch] = {}
        """What pictures a viewer asked for; who asked for nothing gets all."""
        self.is_told = False
        """What `changed_streams` and `changed_demands` answered last is true still."""
        self._places: dict[str, Places] = {}
        self._streams: dict[str, dict[str, str]] = {}
        self._demands: dict[str, bool] = {}

    def apply(self, gates: Mapping[str, Gate], marked: bool = False) -> list[Peer]:
        """Replace all gates. Answers the peers of absent seats, already cut off: end them."""
        before, self.gates, self.marked = self.gates, dict(gates), marked
        cut = [self.peers.pop(seat) for seat in list(self.peers) if seat not in gates]
        for peer in cut:
            peer.close()
        kept: tuple[dict[str, Any], ...] = (
            self.watches,
            self._places,
            self._streams,
            self._demands,
        )
        for table in kept:
            for seat in table.keys() - gates.keys():
                del table[seat]
        for seat, peer in self.peers.items():
            peer.expect_marks(marked)
            gate, old = gates[seat], before.get(seat)
            moved = old is not None and old.space != gate.space
            for publication in peer.publications.values():
                if moved or not _is_open(gate, publication.use):
                    publication.close()
        self._connect()
        return cut

    def close_gates(self) -> None:
        """Close every gate at once and keep the connections."""
        shut = {s: Gate(False, False, gate.space) for s, gate in self.gates.items()}
        self.apply(shut, self.marked)

    def seat(self, seat: str, peer: Peer) -> Peer | None:
        """Give the seat a new connection. Answers the one it replaces, already cut off: end it.

        Raises KeyError if the seat has no gate.
        """
        if seat not in self.gates:
            raise KeyError(seat)
        old = self.unseat(seat)
        self.peers[seat] = peer
        peer.expect_marks(self.marked)
        self.watches.pop(seat, None)
        self._places.pop(seat, None)
        self._streams.pop(seat, None)
        self._demands.pop(seat, None)
        self._connect()
        return old

    def unseat(self, seat: str, peer: Peer | None = None) -> Peer | None:
        """Cut off the seat's connection (if it is `peer`, when given) and answer it."""
        current = self.peers.get(seat)
        if current is None or (peer is not None and current is not peer):
            return None
        del self.peers[seat]
        current.close()
        self._connect()
        return current

    def watch(self, seat: str, watch: Watch) -> None:
        """From now on send this viewer these pictures only; a seat without a gate is ignored."""
        if seat in self.gates and self.watches.get(seat, EVERYTHING) != watch:
            self.watches[seat] = watch
            self._connect()

    def streams(self, viewer: str) -> dict[str, str]:
        """The viewer's map of mid to seat, as `changed_streams` answered last."""
        return self._streams.get(viewer, {})

    def demand(self, seat: str) -> bool | None:
        """What `changed_demands` answered last of the seat; None for a camera without layers."""
        return self._demands.get(seat)

    def changed_streams(self) -> Iterator[tuple[str, dict[str, str]]]:
        """Viewers whose map of mid to seat is not what was answered last, with the new map."""
        for viewer, peer in self.peers.items():
            audio = [writer.mid for writer in peer.writers["audio"]]
            video = [writer.mid for writer in peer.writers["video"]]
            now = streams(self._places.get(viewer, ()), audio, video)
            if now != self._streams.get(viewer):
                self._streams[viewer] = now
                yield viewer, now

    def changed_demands(self) -> Iterator[tuple[str, bool]]:
        """Seats for whom it has changed whether anybody is to see their layer `h`, and whether."""
        for seat, peer in self.peers.items():
            camera = peer.publications.get("video")
            now = camera is not None and any(s.name == "h" for s in camera.viewers.values())
            if camera is not None and camera.section.rids and now != self._demands.get(seat):
                self._demands[seat] = now
                yield seat, now

    def _connect(self) -> None:
        """Make every publication reach exactly those who may have it."""
        self.is_told = False
        now = time.monotonic()
        reach: dict[Publication, dict[SeatWriter, Showing]] = {}
        for viewer, peer in self.peers.items():
            space = self.gates[viewer].space
            others = [s for s, g in self.gates.items() if s != viewer and g.space == space]
            capacity = max(len(peer.writers[kind]) for kind in KINDS)
            places = assign(self._places.get(viewer, ()), others, capacity)
            self._places[viewer] = places
            screen = next((s for s in others if self.gates[s].screen), None)
            shown: list[tuple[Use, Places]] = [(kind, places) for kind in KINDS]
            peer.selection = self._select(viewer, peer, now)
            is_limited = peer.downlink is not None and peer.downlink.budget_bps is not None
            for use, seats in (*shown, ("screen", (screen,))):
                for writer, seat in zip(peer.writers[use], seats, strict=False):
                    publication = self._publication(seat, use)
                    if (
                        publication is None
                        or seat is None
                        or not self._is_wanted(viewer, seat, use)
                    ):
                        writer.point(None)
                        continue
                    name = "l" if use == "audio" else peer.selection.rids[_picture(seat, use)]
                    if name is None:
                        writer.point(None)
                    else:
                        showing = Showing(peer, name, is_limited and name == "l")
                        reach.setdefault(publication, {})[writer] = showing
        for peer in self.peers.values():
            for publication in peer.publications.values():
                publication.show(reach.get(publication, {}), now)
        for peer in self.peers.values():
            peer.ask_key_frames()

    def _select(self, viewer: str, peer: Peer, now: float) -> Selection:
        """What pictures this viewer gets of what they want, as far as their line carries it.

        First a screen, then who has the floor, then the others in the order of their places.
        """
        budget_bps = peer.downlink.budget_bps if peer.downlink is not None else None
        wants: list[Want] = []
        rates: dict[tuple[str, LayerName], int] = {}
        seats = [seat for seat in self._places.get(viewer, ()) if seat is not None]
        uses: tuple[Use, Use] = ("screen", "video")
        for use in uses:
            for seat in sorted(seats, key=lambda seat: not self.gates[seat].focus):
                publication = self._publication(seat, use)
                if publication is None or not self._is_wanted(viewer, seat, use):
                    continue
                picture = _picture(seat, use)
                has_layers = bool(publication.section.rids)
                wants.append(Want(picture, "h" if has_layers and self.gates[seat].focus else "l"))
                for name, source in publication.sources.items():
                    if now - source.layer.heard_at < SILENT_LAYER_S:
                        rates[picture, name or "l"] = int(source.layer.rate_bps * WITH_HEADERS)
        return select(wants, rates, budget_bps, peer.selection.rids)

    def tick(self, now: float) -> None:
        """Follow what people's lines carry. Call it some times a second."""
        limited = (p for p in self.peers.values() if p.downlink is not None)
        if any(self._has_changed(peer, now) for peer in limited):
            self._connect()

    def _has_changed(self, peer: Peer, now: float) -> bool:
        """Whether another selection than the present one is due; notes what the next costs."""
        assert peer.downlink is not None
        if peer.downlink.budget_bps is None and peer.selection.next_bps is None:
            return False
        viewer = next(seat for seat, other in self.peers.items() if other is peer)
        selection = self._select(viewer, peer, now)
        is_other = selection.rids != peer.selection.rids
        if not is_other:
            peer.selection = selection
        return is_other

    def _publication(self, seat: str | None, use: Use) -> Publication | None:
        """What this seat lets through of a use, or None."""
        if seat is None or seat not in self.peers or not _is_open(self.gates[seat], use):
            return None
        return self.peers[seat].publications.get(use)

    def _is_wanted(self, viewer: str, seat: str, use: Use) -> bool:
        """Whether the viewer wants this of a seat; sound always.

        Whose sound may pass counts as having the floor, and so does who shows a screen.
        """
        watch = self.watches.get(viewer, EVERYTHING)
        return use == "audio" or watch.wants(seat, use == "screen" or self.gates[seat].audio)


def _picture(seat: str, use: Use) -> str:
    """Names a picture among those a viewer may get; no seat's id begins so."""
    return f"screen {seat}" if use == "screen" else seat


def _is_open(gate: Gate, use: Use) -> bool:
    open_for: Mapping[Use, bool] = {
        "audio": gate.audio,
        "video": gate.video,
        "screen": gate.screen,
    }
    return open_for[use]
