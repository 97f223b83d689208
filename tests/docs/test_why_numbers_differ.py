"""The page on why numbers differ is made from the table of causes."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from growthmm.equivalence.explaining.causes import CAUSES

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_page_is_up_to_date() -> None:
    spec = importlib.util.spec_from_file_location("why", DOCS / "why.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    page = (DOCS / "why-numbers-differ.md").read_text(encoding="utf-8")
    assert page == module.page(), "run: python docs/why.py"
    assert [word for word in CAUSES if f"(`{word}`)" not in page] == []
