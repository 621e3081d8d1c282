"""What several tests of the command line need."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from da3_blender.headless.arguments import parse_arguments


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "own/kitchen.png"
    path.parent.mkdir()
    Image.new("RGB", (40, 30), (90, 120, 30)).save(path)
    return path


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    with pytest.raises(SystemExit) as end:
        parse_arguments([str(word) for word in arguments])
    assert end.value.code == 2
    return capsys.readouterr().err.splitlines()[-1]
