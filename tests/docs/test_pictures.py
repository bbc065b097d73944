"""The pictures are those that their script draws, and none asks another host for anything."""

import re
import runpy
from pathlib import Path

import pytest

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"


@pytest.mark.parametrize("name", ["renewal", "decision"])
def test_a_picture_is_what_its_script_draws(name: str) -> None:
    drawn = runpy.run_path(str(PICTURES / "draw.py"))[name]()
    assert (PICTURES / f"{name}.svg").read_text("utf-8") == drawn


@pytest.mark.parametrize("picture", sorted(PICTURES.glob("*.svg")), ids=lambda one: one.name)
def test_a_picture_loads_nothing(picture: Path) -> None:
    text = picture.read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"url\(\s*[\"']?https?:|(?:href|src)=", text)
