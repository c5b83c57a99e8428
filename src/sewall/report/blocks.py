"""The building blocks of the page. A section is a question and the blocks that answer it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from markupsafe import Markup


@dataclass(frozen=True)
class Drawing:
    """One picture as inline SVG.

    Attributes:
        wide: the picture for desks, slides and paper.
        narrow: the same picture drawn for a phone, or empty where the wide one is small enough.
        width: natural width of the wide picture, CSS pixels.
    """

    wide: Markup
    narrow: Markup
    width: int


@dataclass(frozen=True)
class Figure:
    """A picture with a title that says what it shows and a caption that says how to read it."""

    key: str
    title: str
    drawing: Drawing
    caption: str


@dataclass(frozen=True)
class Figures:
    """Figures side by side (``columns`` of them where there is room)."""

    kind: ClassVar[str] = "figures"
    figures: list[Figure]
    columns: int = 2


@dataclass(frozen=True)
class Text:
    """Paragraphs."""

    kind: ClassVar[str] = "text"
    paragraphs: list[str]


@dataclass(frozen=True)
class Notice:
    """A sentence that must not be missed; ``status`` is ``ok``, ``warn`` or ``outside``."""

    kind: ClassVar[str] = "notice"
    status: str
    text: str


@dataclass(frozen=True)
class Facts:
    """Short labelled facts."""

    kind: ClassVar[str] = "facts"
    rows: list[tuple[str, str]]


@dataclass(frozen=True)
class Points:
    """A titled list of sentences, each with a status."""

    kind: ClassVar[str] = "points"
    title: str
    items: list[tuple[str, str]]


@dataclass(frozen=True)
class Table:
    """A table of text.

    Attributes:
        columns: headings.
        rows: cells, as many as headings in each row; a second line of a cell is set smaller.
        words: indices of the columns that hold words and are set flush left; the others hold numbers.
        marks: status of each row, or empty.
        strong: indices of the rows to stand out.
        folded: title under which the table is folded away, or empty.
        note: sentence under the table.
    """

    kind: ClassVar[str] = "table"
    columns: list[str]
    rows: list[list[str]]
    words: tuple[int, ...] = (0,)
    marks: list[str] = field(default_factory=list)
    strong: tuple[int, ...] = ()
    folded: str = ""
    note: str = ""


@dataclass(frozen=True)
class Code:
    """Lines to copy into a terminal."""

    kind: ClassVar[str] = "code"
    text: str


@dataclass(frozen=True)
class References:
    """What to cite, each as (what it did here, reference, DOI or empty)."""

    kind: ClassVar[str] = "references"
    items: list[tuple[str, str, str]]


Block = Text | Notice | Facts | Points | Figures | Table | Code | References


@dataclass(frozen=True)
class Section:
    """A question and its answer."""

    key: str
    question: str
    blocks: list[Block]


@dataclass(frozen=True)
class Tile:
    """One number of the header: what it is, the number, and a word on it."""

    label: str
    value: str
    note: str
    status: str = ""


@dataclass(frozen=True)
class Answer:
    """What a job says on its page.

    Attributes:
        title: headline of the page.
        subtitle: the data in one line.
        sentence: the answer in one sentence.
        tile: the answer in one number.
        asked: facts about the question.
        section: the answer as a picture.
        doubts: reasons not to believe some of it, as (status, sentence).
        beside: another number of the header, for runs that check no support.
        more: sections that go into detail, to stand behind the comparison of models.
        tiles: all numbers of the header, where they are others than those of a prediction.
        predicts: whether there are predictions, so that intervals and models are spoken of.
    """

    title: str
    subtitle: str
    sentence: str
    tile: Tile
    asked: list[tuple[str, str]]
    section: Section
    doubts: list[tuple[str, str]]
    beside: Tile | None = None
    more: list[Section] = field(default_factory=list)
    tiles: list[Tile] = field(default_factory=list)
    predicts: bool = True
