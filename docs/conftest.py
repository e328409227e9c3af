"""The guideline files that a page prints stand beside it when its examples run."""

import re
import tomllib
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _files_of_the_page(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = request.path.read_text(encoding="utf-8")
    for block in re.findall(r"```toml\n(.*?)```", page, re.DOTALL):
        (tmp_path / f"{tomllib.loads(block)['id']}.toml").write_text(block, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
