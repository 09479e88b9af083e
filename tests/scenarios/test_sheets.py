"""Run sheets and writing over the real socket."""

import pytest

from tests.scenarios.client import Client, Frame, Refused
from tests.scenarios.conftest import Seat

OURS = """
title = "Our evening"
minutes = 40

[[phase]]
title = "Hello"
words = "Say hello if you like."
mode = "talk"
chat = "on"

[[phase]]
title = "Sharing"
mode = "round"
turn_s = 90
"""

BROKEN = """
title = "Our evening"
[[phase]]
title = "Hello"
mode = "tolk"
turn_s = "soon"
"""


async def two(person: Seat) -> tuple[Client, Client]:
    fay, ana = person("Fay"), person("Ana")
    await fay.join()
    await ana.join()
    return fay, ana


async def came(client: Client, kind: str, count: int = 1) -> Frame:
    """The latest frame of this kind, once so many have come."""
    await client.until(lambda: len(client.others[kind]) >= count)
    return client.others[kind][-1]


async def test_a_group_runs_its_own_sheet_and_carries_it_away(person: Seat) -> None:
    fay, ana = await two(person)
    await fay.request("choose_sheet", text=OURS)
    words = await came(ana, "sheet")
    assert words["title"] == "Our evening" and words["id"].startswith("own-")
    assert [phase["title"] for phase in words["phases"]] == ["Hello", "Sharing"]
    await ana.until(lambda: ana.view["sheet"])
    assert ana.view["sheet"]["id"] == words["id"] and ana.view["sheet"]["index"] is None

    await fay.do("open_phase", after=0, index=1)
    await ana.until(lambda: ana.view["phase"]["words"] == 1)
    assert ana.view["turn"]["given_ms"] == 90_000

    library = await fay.request("get_library")
    (own,) = [entry for entry in library["sheets"] if entry["own"]]
    assert own == {"id": words["id"], "title": "Our evening", "source": "", "minutes": 0} | {
        "own": True
    }
    assert len(library["sheets"]) == 11
    text = (await fay.request("get_sheet", sheet=own["id"]))["text"]
    again = await fay.request("choose_sheet", text=text)
    assert again["kind"] == "done"
    await fay.request("forget_sheet", sheet=own["id"])
    with pytest.raises(Refused, match="no_such_sheet"):
        await fay.request("get_sheet", sheet=own["id"])


async def test_a_shipped_sheet_can_be_copied_as_text(person: Seat) -> None:
    fay, _ = await two(person)
    text = (await fay.request("get_sheet", sheet="pairs"))["text"]
    await fay.request("choose_sheet", text=text)
    assert (await came(fay, "sheet"))["title"] == "Listening in pairs"


async def test_what_is_wrong_with_a_sheet_is_told_line_by_line(person: Seat) -> None:
    fay, ana = await two(person)
    seq = ana.seq
    with pytest.raises(Refused, match="bad_sheet"):
        await fay.request("choose_sheet", text=BROKEN)
    faults = fay.others["refused"][-1]["faults"]
    assert [fault["line"] for fault in faults] == [5, 6]
    assert "talk" in faults[0]["words"]
    for wrong in ({}, {"sheet": "pairs", "text": OURS}):
        with pytest.raises(Refused, match="bad_sheet"):
            await fay.request("choose_sheet", **wrong)
    with pytest.raises(Refused, match="no_such_sheet"):
        await fay.request("choose_sheet", sheet="no-such-sheet")
    assert ana.seq == seq, "nobody was shown anything"


async def test_a_member_can_neither_choose_nor_look_through_sheets(person: Seat) -> None:
    _, ana = await two(person)
    for kind, members in (
        ("choose_sheet", {"sheet": "pairs"}),
        ("choose_sheet", {"text": OURS}),
        ("choose_sheet", {"sheet": "grounding", "insert": True}),
        ("get_library", {}),
        ("get_sheet", {"sheet": "pairs"}),
        ("forget_sheet", {"sheet": "own-1"}),
    ):
        with pytest.raises(Refused, match="not_allowed"):
            await ana.request(kind, **members)


async def test_an_insert_interrupts_and_gives_back(person: Seat) -> None:
    fay, ana = await two(person)
    await fay.request("choose_sheet", sheet="check-in")
    await fay.do("open_phase", after=0, index=1)
    holder = fay.view["turn"]["seat"]
    await fay.request("choose_sheet", sheet="grounding", insert=True)
    await ana.until(lambda: ana.view["phase"]["insert"])
    assert ana.view["turn"] is None
    assert (await came(ana, "sheet", 2))["id"] == "grounding"
    await fay.do("return_to_phase", after=fay.view["phase"]["number"])
    await ana.until(lambda: ana.view["turn"] and ana.view["turn"]["seat"] == holder)
    assert (await came(ana, "sheet", 3))["id"] == "check-in"


async def test_what_is_written_reaches_the_others_and_waits_for_who_comes_back(
    person: Seat,
) -> None:
    fay, ana = await two(person)
    await fay.request("choose_sheet", text=OURS)
    await fay.do("open_phase", after=0, index=0)
    await ana.until(lambda: "all" in ana.view["write"])
    assert "team" not in ana.view["write"] and "team" in fay.view["write"]
    await ana.request("say", to="all", text="  a kind word  ")
    said = await came(fay, "said")
    assert (said["seat"], said["to"], said["text"]) == (ana.seat, "all", "a kind word")
    with pytest.raises(Refused, match="not_allowed"):
        await ana.request("say", to="team", text="x")
    await fay.request("say", to="all", text="thank you")
    await came(ana, "said", 2)
    await ana.drop()
    ana.others.clear()
    await ana.join()
    await came(ana, "said", 2)
    assert [frame["text"] for frame in ana.others["said"]] == ["a kind word", "thank you"]


async def test_writing_too_fast_is_refused_and_tells_nobody(person: Seat) -> None:
    fay, ana = await two(person)
    for number in range(10):
        await fay.request("say", to="all", text=str(number))
    with pytest.raises(Refused, match="too_fast"):
        await fay.request("say", to="all", text="10")
    await came(ana, "said", 10)
    assert [frame["text"] for frame in ana.others["said"]] == [str(n) for n in range(10)]
