"""Which folders hold which dataset: a table, in the layouts that PromptIR's and MoCE-IR's users have.

Folder patterns are relative to the root that the user names and ignore case. ``a|b`` is one folder of
either name, ``*`` any part of a name. docs/guides/datasets.md shows them as trees.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from anyir.model.errors import UserError, unknown


@dataclass(frozen=True)
class Kept:
    """Photos that are kept out of training, of a folder that is published as one.

    Attributes:
        count: how many.
        of: photos that the folder has where it is whole; in another one the kept ones may be others.
        by_tag: spread evenly over the photos in the order of their tags in ``index.tsv``, beside the folder
            or in it, and of their names; otherwise the last by name.
    """

    count: int
    of: int
    by_tag: bool = False


@dataclass(frozen=True)
class Layout:
    """One place where a dataset may lie.

    Attributes:
        base: folder below the root; where a wildcard matches several, each is searched on its own.
        clean: folder below ``base`` with the clean photos; ``.`` is ``base`` itself, without its subfolders.
        degraded: folders below ``base`` with the degraded photos; empty if there are only clean ones.
        files: pattern of the file names of both.
        kept: which photos of a folder that holds both splits are the test split; None: the folder is one
            split.
    """

    base: str
    clean: str = "."
    degraded: str = ""
    files: str = "*"
    kept: Kept | None = None


@dataclass(frozen=True)
class DatasetInfo:
    """A dataset as the paper uses it.

    Attributes:
        title: what papers call it.
        kind: its degradation, as ``degrade`` names it; empty if there are only clean photos. With
            ``kinds`` the name of the folder decides.
        train, test: where either split may lie; the first layout that is found is taken.
        count: photos in the test split as published, or as docs/guides/datasets.md has it where it is this
            project's; 0 where neither says.
        kinds: degraded folder -> degradation.
        reside: whether degraded files are named ``<id>_<A>_<beta>``, and those of one id share a clean one.
    """

    title: str
    kind: str = ""
    train: tuple[Layout, ...] = ()
    test: tuple[Layout, ...] = ()
    count: int = 0
    kinds: Mapping[str, str] = field(default_factory=dict)
    reside: bool = False

    @property
    def paired(self) -> bool:
        """Whether it has degraded photos with clean partners."""
        return any(layout.degraded for layout in (*self.train, *self.test))


def _paired(*layouts: tuple[str, str, str], kept: Kept | None = None) -> tuple[Layout, ...]:
    return tuple(Layout(base, clean, degraded, kept=kept) for base, degraded, clean in layouts)


CDD11_KINDS = {
    "low": "low_light", "haze": "haze", "rain": "rain", "snow": "snow",
    "low_haze": "low_light+haze", "low_rain": "low_light+rain", "low_snow": "low_light+snow",
    "haze_rain": "haze+rain", "haze_snow": "haze+snow",
    "low_haze_rain": "low_light+haze+rain", "low_haze_snow": "low_light+haze+snow",
}  # fmt: skip
"""CDD-11's folders and what is in them."""
_CDD11 = "|".join(CDD11_KINDS)
_CDD = "CDD-11|CDD11|CDD_11"

_INPUT = "input|rainy|rain|hazy|haze|blur|low|snow|noisy|degraded|lq"
_TARGET = "target|gt|clean|clear|norain|sharp|high|hq"
_POLYU = (("pairs/polyu", "input", "target"), ("PolyU|PolyU_CroppedImages", "input|noisy", "target|clean"))
_LAST_15 = Kept(15, of=75)
_COLLECTION = (Layout("train/photos", "**", kept=Kept(32, of=318, by_tag=True)),)

DATASETS: dict[str, DatasetInfo] = {
    "bsd400": DatasetInfo(
        "BSD400",
        train=(
            Layout("Train/Denoise|denoise/BSD400"),
            Layout("Train/Denoise", files="*.jp*g"),
            Layout("denoising/BSD400"),
            Layout("BSD400"),
        ),
    ),
    "wed": DatasetInfo(
        "WED (Waterloo Exploration Database)",
        train=(
            Layout("Train/Denoise/WED|WaterlooED"),
            Layout("Train/Denoise", files="*.bmp"),
            Layout("denoising/WaterlooED|WED"),
            Layout("exploration_database_and_code/pristine_images"),
            Layout("WaterlooED|WED/pristine_images"),
            Layout("WaterlooED|WED"),
        ),
    ),
    "cbsd68": DatasetInfo(
        "CBSD68 (BSD68 in colour)",
        test=(
            Layout("test/denoise/bsd68|cbsd68"),
            Layout("denoising/cBSD68/original_png"),
            Layout("test/cbsd68"),
            Layout("CBSD68|BSD68/original_png"),
            Layout("CBSD68|BSD68"),
        ),
        count=68,
    ),
    "rain100l": DatasetInfo(
        "Rain100L",
        "rain",
        train=_paired(
            ("Train/Derain", "rainy", "gt"),
            ("Train/Derain/Rain100L", "input|rainy", "target|gt"),
            ("deraining/RainTrainL", "rainy", "gt"),
            ("RainTrainL|Rain100L_train", "rainy|rain|input", "gt|norain|target"),
            ("RainTrainL|Rain100L_train", "rainy", "."),
        ),
        test=_paired(
            ("test/derain/Rain100L", "input|rainy", "target|gt"),
            ("deraining/Rain100L", "rainy", "gt"),
            ("test/rain100l", "input", "target"),
            ("Rain100L|Rain100L_test", "input|rainy|rain", "target|gt|norain"),
            ("Rain100L|Rain100L_test", "rainy", "."),
        ),
        count=100,
    ),
    "ots": DatasetInfo(
        "RESIDE OTS",
        "haze",
        train=_paired(
            ("Train/Dehaze", "synthetic", "original"),
            ("Train/Dehaze/OTS", "input", "target"),
            ("dehazing/RESIDE", "part*", "clear"),
            ("OTS|OTS_BETA|RESIDE", "part*|hazy|haze|OTS", "clear"),
        ),
        reside=True,
    ),
    "sots": DatasetInfo(
        "RESIDE SOTS outdoor",
        "haze",
        test=_paired(
            ("test/dehaze/SOTS", "input", "target"),
            ("test/dehaze", "input", "target"),
            ("dehazing/SOTS/outdoor", "hazy", "gt"),
            ("SOTS/outdoor", "hazy", "gt|clear"),
            ("SOTS|SOTS_outdoor", "input|hazy", "target|gt|clear"),
        ),
        count=500,
        reside=True,
    ),
    "gopro": DatasetInfo(
        "GoPro",
        "motion_blur",
        train=_paired(
            ("Train/Deblur", "blur", "sharp"),
            ("deblurring/GoPro/crop/train", "input_crops", "target_crops"),
            ("GoPro/crop/train", "input_crops|input", "target_crops|target"),
            ("GoPro|GOPRO_Large/train", "input|blur", "target|sharp"),
            ("GoPro|GOPRO_Large/train/GOPR*", "blur", "sharp"),
        ),
        test=_paired(
            ("test/deblur/gopro", "input|blur", "target|sharp"),
            ("deblurring/GoPro/test", "input", "target"),
            ("GoPro|GOPRO_Large/test", "input|blur", "target|sharp"),
            ("GoPro|GOPRO_Large/test/GOPR*", "blur", "sharp"),
            ("pairs/gopro", "input", "target"),
        ),
        count=1111,
    ),
    "lol": DatasetInfo(
        "LOL-v1",
        "low_light",
        train=_paired(
            ("Train/Enhance", "low", "gt|high"),
            ("llie/LOLv1/Train", "input", "target"),
            ("LOL|LOLv1|LOL-v1|lol_dataset/our485", "low", "high"),
            ("LOL|LOLv1|LOL-v1/Train", "input|low", "target|high"),
        )
        + _paired(("pairs/lol", "input", "target"), kept=Kept(2, of=4)),
        test=_paired(
            ("test/enhance/lol", "input|low", "target|high"),
            ("llie/LOLv1/Test", "input", "target"),
            ("LOL|LOLv1|LOL-v1|lol_dataset/eval15", "low", "high"),
            ("LOL|LOLv1|LOL-v1/Test", "input|low", "target|high"),
        )
        + _paired(("pairs/lol", "input", "target"), kept=Kept(2, of=4)),
        count=15,
    ),
    "polyu": DatasetInfo(
        "PolyU real camera noise",
        "camera_noise",
        train=_paired(*_POLYU, kept=_LAST_15),
        test=_paired(*_POLYU, kept=_LAST_15),
        count=15,
    ),
    "csd": DatasetInfo(
        "CSD",
        "snow",
        train=_paired(("CSD/Train|train2500", "Snow", "Gt")),
        test=_paired(("CSD/Test|test2000", "Snow", "Gt")),
        count=2000,
    ),
    "cdd11": DatasetInfo(
        "CDD-11",
        train=_paired((f"{_CDD}/train", _CDD11, "clear"), ("CDD-11_train|CDD11_train", _CDD11, "clear")),
        test=_paired((f"{_CDD}/test", _CDD11, "clear"), ("CDD-11_test|CDD11_test", _CDD11, "clear")),
        count=2200,
        kinds=CDD11_KINDS,
    ),
    "good": DatasetInfo(
        "good photos, which must stay as they are",
        test=(Layout("real/good", "**"), Layout("good", "**")),
    ),
    "collection": DatasetInfo(
        "clean photos of many kinds, tagged in index.tsv",
        train=_COLLECTION,
        test=_COLLECTION,
    ),
    "pairs": DatasetInfo(
        "a folder of pairs",
        train=_paired((".", _INPUT, _TARGET)),
        test=_paired((".", _INPUT, _TARGET)),
    ),
    "photos": DatasetInfo(
        "a folder of clean photos",
        train=(Layout(".", "**"),),
        test=(Layout(".", "**"),),
    ),
}
"""Every dataset by the name that training configs and ``anyir eval`` use. The last two fit any folder."""

GENERIC = ("pairs", "photos")


def find_dataset_info(name: str) -> DatasetInfo:
    """A dataset's entry.

    Raises:
        UserError: no such dataset; the message lists them.
    """
    if name not in DATASETS:
        raise UserError(unknown("dataset", name, DATASETS))
    return DATASETS[name]
