"""Sets the pages of the site: those written by hand, and those made of the knowledge.

``python docs/pages.py build/pages`` writes them all to a folder, from which Sphinx builds the site.
"""

import sys
from itertools import chain
from pathlib import Path
from shutil import copy, rmtree

import guideline_pages
import knowledge_pages

_HERE = Path(__file__).parent


def write(folder: Path) -> None:
    """Write every page to a folder that is made anew."""
    rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for page in chain.from_iterable(map(_HERE.glob, ("*.md", "*.json", "*.svg"))):
        copy(page, folder)
    for path, text in (*guideline_pages.pages(), *knowledge_pages.pages()):
        page = folder / path
        page.parent.mkdir(exist_ok=True)
        page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
