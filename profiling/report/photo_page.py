"""Real photos before and after as a page to look at, with what people said of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from anyir.model.evaluation.verdicts import OPEN, VERDICTS, Verdict
from anyir.model.files import write_atomically

if TYPE_CHECKING:
    from anyir.model.evaluation.looking import SeenPhoto

HERE = Path(__file__).parent


@dataclass(frozen=True)
class KindSummary:
    """What is said of one kind of photos.

    Attributes:
        kind: the folder's name.
        photos: how many.
        verdicts: ``better``, ``same``, ``worse``, and empty for those that nobody has looked at -> how many.
        needed: how many the restoration changed so much that they are taken to have needed it.
        rows: title of a version -> (how many there are, mean dark channel, mean of the medians, mean noise of
            255, mean PSNR against the photo before).
    """

    kind: str
    photos: int
    verdicts: dict[str, int]
    needed: int
    rows: dict[str, tuple[int, float, float, float, float]]


def summarise(seen: list[SeenPhoto], verdicts: dict[str, Verdict]) -> list[KindSummary]:
    """One summary a kind, in the order in which the kinds come."""
    summaries = []
    for kind in dict.fromkeys(photo.kind for photo in seen):
        photos = [photo for photo in seen if photo.kind == kind]
        counts = Counter(verdicts[photo.key].verdict for photo in photos)
        titles = dict.fromkeys(picture.title for photo in photos for picture in photo.pictures)
        rows = {}
        for title in titles:
            versions = [p for photo in photos for p in photo.pictures if p.title == title]
            rows[title] = (
                len(versions),
                *(
                    sum(values) / len(versions)
                    for values in zip(
                        *(
                            (v.figures.dark_channel, v.figures.median, v.figures.noise, v.change["psnr"])
                            for v in versions
                        ),
                        strict=True,
                    )
                ),
            )
        needed = sum(photo.need.needed for photo in photos)
        said = {verdict: counts.get(verdict, 0) for verdict in (*VERDICTS, OPEN)}
        summaries.append(KindSummary(kind, len(photos), said, needed, rows))  # type: ignore[arg-type]
    return summaries


def write_photo_page(
    seen: list[SeenPhoto], verdicts: dict[str, Verdict], out: Path, *, model: str, verdict_file: Path
) -> None:
    """Write ``index.html`` beside the pictures.

    Args:
        seen: photos whose pictures lie below ``out``.
        verdicts: by the photos' keys.
        out: the page's folder.
        model: what restored them.
        verdict_file: where verdicts are filled in, to be named on the page.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined)
    environment.trim_blocks = environment.lstrip_blocks = True
    text = environment.get_template("photos.html").render(
        seen=seen,
        verdicts=verdicts,
        summaries=summarise(seen, verdicts),
        model=model,
        verdict_file=str(verdict_file),
        style=(HERE / "report.css").read_text(),
    )
    write_atomically(out / "index.html", text.encode())
