"""The figures to reach, and whether they were."""

from dataclasses import dataclass

from peers import (
    CAREFUL_DRY,
    CAREFUL_NIGHTLY,
    CAREFUL_PLAIN,
    CAREFUL_PROFILE,
    CAREFUL_REPORT,
    profile_name,
    tool_name,
)

TOOL_0, TOOL_2 = tool_name(0), tool_name(2)
BASIC_0, BASIC_2 = profile_name(0), profile_name(2)
CP = "cp -r"


@dataclass(frozen=True)
class Verdict:
    """A target with what was measured, as it is printed; `reached` is None if nothing was measured."""

    tree: str
    row: str
    against: str
    target: str
    measured: str
    reached: bool | None

    @property
    def cells(self) -> list[str]:
        """The row of the table of targets."""
        words = {True: "reached", False: "MISSED", None: "not measured"}
        return [self.tree, self.row, self.against, self.target, self.measured, words[self.reached]]


@dataclass(frozen=True)
class Target:
    """A figure to reach: the tool's row is at least `ratio` times as fast as the peer's.

    "No slower than 1.5 times X" is a ratio of 1/1.5; `strictly` is "faster than".
    """

    tree: str
    row: str
    peer: str
    ratio: float
    text: str
    strictly: bool = False

    def reached(self, measured: float) -> bool:
        """Whether a ratio that was measured is good enough."""
        return measured > self.ratio if self.strictly else measured >= self.ratio


def faster(tree: str, row: str, *names: str) -> list[Target]:
    """The targets "faster than each of `names`"."""
    return [Target(tree, row, name, 1, "faster", strictly=True) for name in names]


TARGETS = [
    Target("flat", TOOL_2, "3.1.1", 40, "at least 40 times as fast"),
    Target("flat", TOOL_0, "3.1.1", 25, "at least 25 times as fast"),
    *faster("flat", TOOL_2, "gdcmanon", "dcmanon"),
    Target("flat", TOOL_2, CP, 1 / 1.5, "at most 1.5 times the time"),
    Target("epi", TOOL_2, "3.1.1", 60, "at least 60 times as fast"),
    Target("epi", TOOL_2, "gdcmanon", 1, "no slower"),
    Target("xa30", TOOL_2, "3.1.1", 100, "at least 100 times as fast"),
    *faster("xa30", TOOL_2, "gdcmanon", "dcmanon"),
    Target("big", TOOL_0, CP, 1 / 1.3, "at most 1.3 times the time"),
    Target("big", TOOL_2, CP, 1 / 1.3, "at most 1.3 times the time"),
    *(
        Target(f"profile-{tree}", BASIC_2, peer, 20, "at least 20 times as fast")
        for tree in ("epi", "xa30")
        for peer in ("dicognito", "dicom-anonymizer")
    ),
]
TARGETS += [
    Target(f"nightly-{tree}", row, CAREFUL_PLAIN, 1 / times, f"at most {times} times the time")
    for tree, most in (("flat", 5), ("private", 5), ("epi", 5), ("xa30", 6))
    for row, times in (
        (CAREFUL_PROFILE, 2),
        (CAREFUL_NIGHTLY, most),
        (CAREFUL_REPORT, 1.3),
        (CAREFUL_DRY, 1.3),
    )
]
TARGETS += [
    Target(f"nightly-{tree}", CAREFUL_NIGHTLY, peer, 15, "at least 15 times as fast")
    for tree in ("flat", "private", "epi", "xa30")
    for peer in ("dicognito", "dicom-anonymizer")
]
TARGETS += [
    Target(f"nightly-{tree}", CAREFUL_PLAIN, "gdcmanon", 1.3, "at least 1.3 times as fast")
    for tree in ("flat", "private", "epi", "xa30")
]
COMMAND_SECONDS = 5e-6
"""What the command itself may take for each file, so that 100 workers can be kept busy."""
BIG_MEMORY = 150_000_000
STARTUP_SECONDS = 0.35
# A second run over files that a ledger knows.
LEDGER_SECONDS_PER_10000 = 2.0
VERIFY_TIMES = 6
PROFILE_STARTUP_SECONDS = 0.5
# "Flat memory" from 1,000 to 100,000 files: what is left is less than this share.
MEMORY_GROWTH = 1.10
