"""The pages stay true: what the code has, they name, and they name nothing else."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, get_args

from peermeet import protocol
from peermeet.config import Settings
from peermeet.core.hearing import StepKind
from peermeet.core.messages import Code, Command
from peermeet.core.model import Mode, Stage
from peermeet.core.notices import _TOLD_TO_ALL

ROOT = Path(__file__).parents[2]
PROTOCOL = (ROOT / "docs/protocol.md").read_text()
OPERATING = (ROOT / "docs/operating.md").read_text()


def section(page: str, heading: str) -> str:
    """The text below a `## ` heading."""
    found = re.search(rf"^## \d*\.? ?{re.escape(heading)}$(.*?)(?=^## |\Z)", page, re.S | re.M)
    assert found, heading
    return found[1]


def rows(text: str) -> list[list[str]]:
    """The cells of each table row."""
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in text.splitlines()
        if line.startswith("| `")
    ]


def names(cell: str) -> set[str]:
    return set(re.findall(r"`([a-z_]+)`", cell))


def definition(name: str) -> dict[str, Any]:
    found: dict[str, Any] = protocol.json_schema()["$defs"][name]
    return found


def kinds(union: str) -> dict[str, str]:
    """Kind -> definition of a union of frames."""
    mapping = definition(union)["discriminator"]["mapping"]
    return {kind: ref.rsplit("/", 1)[1] for kind, ref in mapping.items()}


def test_every_setting_is_documented_and_no_other() -> None:
    documented = set(re.findall(r"^\| `PEERMEET_([A-Z_]+)`", OPERATING, re.M))
    assert documented - {"PORT"} == {n.upper() for n in Settings.model_fields} - {"PORT"}
    assert "`PEERMEET_PORT`" in OPERATING


def test_every_frame_and_its_members_are_documented() -> None:
    for heading, union in (
        ("Frames from the client", "ClientFrame"),
        ("Frames from the server", "ServerFrame"),
    ):
        table = {row[0].strip("`"): row[1] for row in rows(section(PROTOCOL, heading))}
        assert table.keys() == kinds(union).keys(), union
        for kind, name in kinds(union).items():
            if kind == "hello":
                continue
            members = set(definition(name)["properties"]) - {"kind"}
            assert names(table[kind]) == members, kind


def test_every_command_and_its_members_are_documented() -> None:
    documented: dict[str, set[str]] = {}
    for row in rows(section(PROTOCOL, "Commands")):
        for kind in names(row[0]):
            documented[kind] = names(row[1])
    commands = {c.kind: set(c.__dataclass_fields__) - {"kind"} for c in get_args(Command)}
    assert documented == commands


def test_every_code_is_documented_and_no_other() -> None:
    text = section(PROTOCOL, "Codes")
    rules = re.search(r"\*\*Refusals by the rules\*\*.*?: `([a-z_\s]+)`", text, re.S)
    faults = re.search(r"\*\*Faults\*\*.*?: `([a-z_\s]+)`", text, re.S)
    assert rules and faults
    assert set(rules[1].split()) == set(Code)
    assert set(faults[1].split()) == set(protocol.Fault)


MORE = ("SheetView", "PlannedPhase", "PairView", "QuietView", "NoteView", "Fit")


def test_every_member_of_the_view_is_documented() -> None:
    text = section(PROTOCOL, "The view")
    for name in ("View", "PhaseView", "SeatView", "TurnView", "OrderEntry", "Notice", *MORE):
        for member in definition(name)["properties"]:
            assert f'"{member}"' in text, f"{name}.{member}"


def test_every_notice_the_rules_can_give_is_documented() -> None:
    source = (ROOT / "src/peermeet/core/notices.py").read_text()
    given = set(re.findall(r'Notice\(\s*"([a-z_]+)"|"([a-z]+_[a-z_]+)" if', source))
    named = {kind for pair in given for kind in pair if kind}
    named |= set(re.findall(r'else "([a-z]+_[a-z_]+)"', source))
    named |= {f"{mode}_started" for mode in Mode}
    named |= {f"turn_{stage}" for stage in Stage if stage is not Stage.SPEAKING}
    named |= {f"pair_{kind}" for kind in StepKind if kind is not StepKind.SPEAK}
    named |= {event.kind for event in get_args(_TOLD_TO_ALL)}
    text = re.search(r"only come with the view that they belong to:\s*`([a-z_\s]+)`", PROTOCOL)
    assert text
    documented = set(text[1].split())
    assert named - documented == set()
    assert {"talk_started", "turn_warned", "seat_taken", "circle_ended"} <= documented


def test_the_palette_is_one_list() -> None:
    assert tuple(definition("Profile")["properties"]["color"]["enum"]) == protocol.COLORS


def test_public_pages_name_no_machine_path_and_no_shared_folder() -> None:
    for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]:
        text = page.read_text()
        assert not re.search(r"(?<![\w./])/(work|root|tmp)/", text), page
        assert "shared/" not in text, page
