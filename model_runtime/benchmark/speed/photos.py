"""Photos to measure with: those of a folder, as large as phones make them."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageOps

from model_runtime.contract.messages import JobError

LONGEST = 4032
"""Pixels, of a phone's 12 megapixels."""

SUFFIXES = (".jpg", ".jpeg", ".png")


def phone_photos(source: Path, count: int, folder: Path) -> list[Path]:
    """`count` JPEG files in `folder`, made of the photos of `source` in the order of their names: enlarged where they
    are smaller, and the first ones again where there are too few. Raises JobError `bad-request` where there are none.
    """
    found = available(source)
    if not found:
        sentence = f"{source} has no JPEG or PNG photos to measure with."
        raise JobError("bad-request", sentence, "Name a folder of photos with --photos.")
    made = []
    for i in range(count):
        made.append(folder / f"{i:03}.jpg")
        with Image.open(found[i % len(found)]) as file:
            photo = ImageOps.exif_transpose(file).convert("RGB")
        scale = max(1.0, LONGEST / max(photo.size))
        size = round(photo.width * scale), round(photo.height * scale)
        photo.resize(size, Image.Resampling.BICUBIC).save(made[-1], quality=92)
    return made


def available(source: Path) -> list[Path]:
    """The different photos of a folder, in the order of their names."""
    return sorted(path for path in source.glob("*") if path.suffix.lower() in SUFFIXES) if source.is_dir() else []
