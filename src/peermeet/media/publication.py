"""What one person sends, and to whom it is shown: sections, their layers and their viewers.

It must not decide who may see or hear it (circle.py) nor what a copy looks like (seat.py); it
knows which layers flow and gives each viewer one of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from peermeet.media.fanout import FanOut, Viewer
from peermeet.media.ingest import Layer
from peermeet.media.sdp import VIDEO_ORIENTATION, Kind, LayerName, Section, Use
from peermeet.media.seat import SeatWriter

if TYPE_CHECKING:
    from peermeet.media.peer import Peer

SILENT_LAYER_S: Final = 1.0
"""A layer that has been silent for this long is not coming; another is shown meanwhile."""


class Showing(NamedTuple):
    """How a publication is shown to one viewer."""

    peer: Peer
    name: LayerName
    """The layer, if it flows."""
    at_once: bool = False
    """What is shown in another layer stops now, and not with the key frame of this one: the
    viewer's line is full."""


class Source:
    """One SSRC of a person: a layer of a section, or the retransmissions of one."""

    __slots__ = ("layer", "publication", "ready", "repairs", "viewers")

    def __init__(self, layer: Layer, publication: Publication, repairs: Source | None) -> None:
        """repairs: the source whose packets this one sends again."""
        self.layer = layer
        self.publication = publication
        self.repairs = repairs
        self.viewers: tuple[Viewer, ...] = ()
        """Who is shown this layer now, or turns to it with its next key frame."""
        self.ready: Any = None
        """The same, as the fan-out wants it."""


class Publication:
    """One section that a person sends: their microphone, their camera or their screen.

    is_open and the viewers are set by circle.py only. is_muted: nothing passes even so.
    """

    __slots__ = (
        "_fan_out",
        "alive",
        "is_muted",
        "is_open",
        "kind",
        "nack",
        "orientation_id",
        "section",
        "sources",
        "use",
        "viewers",
    )

    def __init__(self, section: Section, fan_out: FanOut) -> None:
        self.section = section
        self._fan_out = fan_out
        self.kind: Kind = section.kind
        self.use: Use = section.use
        self.is_open = self.is_muted = False
        self.alive = 0
        """Which layers came at the last `watch`, one bit each."""
        self.sources: dict[LayerName | None, Source] = {}
        """What may be forwarded, by layer; other sources of the section are not."""
        self.viewers: dict[SeatWriter, Showing] = {}
        """Who is shown this, and how."""
        self.nack = "nack" in section.feedback
        self.orientation_id = section.extensions.get(VIDEO_ORIENTATION, 0)

    def show(self, viewers: dict[SeatWriter, Showing], now: float) -> None:
        """Be shown to exactly these; who turns to another layer keeps the picture until then."""
        self.viewers = viewers
        self.is_open = bool(viewers)
        own = {source.layer for source in self.sources.values()}
        for writer, (_, name, at_once) in viewers.items():
            source = self.flowing(name, now)
            if source is None:
                writer.point(None)
            elif writer.layer in own and self.kind == "video" and not at_once:
                writer.turn_to(source.layer)
            else:
                writer.point(source.layer)
            if source is not None and (writer.is_waiting or writer.wanted is not None):
                source.layer.want_key_frame()
        self.settle()

    def settle(self) -> None:
        """Give each source those who are shown it, or want to be."""
        for source in self.sources.values():
            source.viewers = tuple(
                (writer, peer)
                for writer, (peer, _, _) in self.viewers.items()
                if source.layer in (writer.layer, writer.wanted)
            )
            self._settle(source, self.is_open and not self.is_muted)

    def _settle(self, source: Source, passes: bool) -> None:
        is_current = source is self.sources.get(source.layer.name)
        source.ready = self._fan_out.settle(source.layer, source.viewers, is_current, passes)

    def flowing(self, name: LayerName, now: float) -> Source | None:
        """The source of this layer, or of another one while nothing comes on this."""
        found = self.sources.get(name)
        if found is not None and now - found.layer.heard_at < SILENT_LAYER_S:
            return found
        alive = [s for s in self.sources.values() if now - s.layer.heard_at < SILENT_LAYER_S]
        return alive[0] if alive else found or next(iter(self.sources.values()), None)

    def watch(self, now: float) -> None:
        """Show another layer where one has begun or ceased to come. Call it at every tick."""
        alive = 0
        for source in self.sources.values():
            source.layer.measure(now)
            alive = alive * 2 + (now - source.layer.heard_at < SILENT_LAYER_S)
        if alive != self.alive:
            self.alive = alive
            self.show(self.viewers, now)

    def close(self) -> None:
        """Nothing passes from the next packet on, and nothing old is repeated."""
        self.is_open = False
        for writer in self.viewers:
            writer.pause()
        self.viewers = {}
        for source in self.sources.values():
            source.viewers = ()
            source.layer.forget()
            self._settle(source, False)

    def adopt(self, source: Source, now: float) -> None:
        """Forward this source from now on instead of the one of the same layer before."""
        old = self.sources.get(source.layer.name)
        if old is not None:
            old.layer.forget()
            old.viewers = ()
        self.sources[source.layer.name] = source
        if old is not None:
            self._settle(old, False)
        self.show(self.viewers, now)
