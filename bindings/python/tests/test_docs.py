"""The docs: every public thing has some, every example runs, stub and extension say the same."""

from __future__ import annotations

import ast
import doctest
import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import taskmgr
import taskmgr._taskmgr

PACKAGE = Path(taskmgr.__file__).parent
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def stub() -> ast.Module:
    return ast.parse((PACKAGE / "_taskmgr.pyi").read_text())


def documented() -> Iterator[tuple[str, str, Any]]:
    """Name, docstring and runtime object of whatever the stub describes."""
    for node in stub().body:
        if not isinstance(node, (ast.ClassDef, ast.FunctionDef)):
            continue
        thing = getattr(taskmgr._taskmgr, node.name)
        yield node.name, ast.get_docstring(node) or "", thing
        for inner in node.body:
            if isinstance(node, ast.ClassDef) and isinstance(inner, ast.FunctionDef):
                name = f"{node.name}.{inner.name}"
                yield name, ast.get_docstring(inner) or "", getattr(thing, inner.name)


def first_paragraph(text: str) -> str:
    return " ".join(text.split("\n\n")[0].split())


def test_stub_and_extension_say_the_same() -> None:
    differing = [
        name
        for name, docs, thing in documented()
        if "__" not in name
        and (not docs or first_paragraph(docs) != first_paragraph(inspect.getdoc(thing) or ""))
    ]
    assert differing == []


def test_everything_public_is_documented() -> None:
    for name in taskmgr.__all__:
        thing = getattr(taskmgr, name)
        if name == "__version__":
            continue
        assert (thing.__doc__ or "").strip(), name
        for attribute, value in vars(thing).items() if isinstance(thing, type) else ():
            if callable(value) and not attribute.startswith("_"):
                assert (getattr(value, "__doc__", "") or "").strip(), f"{name}.{attribute}"


def run(text: str, name: str) -> int:
    runner = doctest.DocTestRunner(optionflags=FLAGS)
    test = doctest.DocTestParser().get_doctest(text, {"taskmgr": taskmgr}, name, None, None)
    report: list[str] = []
    runner.run(test, out=report.append)
    assert not runner.failures, "".join(report)
    return len(test.examples)


EXAMPLES = [(name, docs) for name, docs, _ in documented() if ">>>" in docs]


@pytest.mark.parametrize(("name", "docs"), EXAMPLES, ids=[name for name, _ in EXAMPLES])
def test_examples_of_the_stub(name: str, docs: str) -> None:
    assert run(docs, name) > 0


@pytest.mark.parametrize("path", sorted(PACKAGE.glob("*.py")), ids=lambda path: path.stem)
def test_examples_of_the_package(path: Path) -> None:
    name = "taskmgr" if path.stem == "__init__" else f"taskmgr.{path.stem}"
    module = importlib.import_module(name)
    for test in doctest.DocTestFinder(exclude_empty=True).find(module, extraglobs={}):
        runner = doctest.DocTestRunner(optionflags=FLAGS)
        report: list[str] = []
        runner.run(test, out=report.append)
        assert not runner.failures, "".join(report)


def test_it_is_typed() -> None:
    assert (PACKAGE / "py.typed").exists()


HERE = Path(__file__).parents[1]


def blocks_of(readme: Path) -> list[str]:
    return re.findall(r"```python\n(.*?)```", readme.read_text(), re.DOTALL)


def test_the_readme_of_the_project_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (block,) = blocks_of(HERE.parents[1] / "README.md")
    exec(block, {})
    drawn = capsys.readouterr().out.splitlines()
    assert drawn[0] == "repair ks         done  100 %  8 of 8 ranges"
    assert len(drawn) == 3


def test_the_readme_runs(capsys: pytest.CaptureFixture[str]) -> None:
    blocks = blocks_of(HERE / "README.md")
    assert len(blocks) == 5
    names: dict[str, Any] = {}
    exec("\n".join(blocks), names)
    out = capsys.readouterr().out
    shown = re.findall(r"^# (.*)$", blocks[0], re.MULTILINE)
    assert out.splitlines() == [*shown, "running", "done"]
