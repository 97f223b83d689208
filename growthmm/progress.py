"""A progress bar on what takes more than a second or two.

Verbs say with :func:`showing` whether there may be one; whatever repeats something asks
:func:`tracked` or :func:`bar`. A bar within a bar is not shown.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

__all__ = ["PATIENCE", "bar", "showing", "tracked"]

Item = TypeVar("Item")

PATIENCE = 1.0
"""Seconds after which a bar is shown."""

_WANTED: ContextVar[bool | None] = ContextVar("wanted", default=None)
_TAKEN: ContextVar[bool] = ContextVar("taken", default=False)


@contextmanager
def showing(progress: bool | None) -> Iterator[None]:
    """Within this block bars are shown, or not.

    Parameters
    ----------
    progress : bool, optional
        Whether; where None, as the block around this one says, and outermost where standard
        error is a terminal.

    Examples
    --------
    >>> with showing(False):
    ...     list(tracked(range(3), "counting"))
    [0, 1, 2]
    """
    if progress is None:
        yield
        return
    token = _WANTED.set(bool(progress))
    try:
        yield
    finally:
        _WANTED.reset(token)


def tracked(items: Iterable[Item], title: str, *, total: int | None = None) -> Iterator[Item]:
    """The items one after the other, with a bar on how many are done.

    Parameters
    ----------
    items : iterable
        The work; may be lazy.
    title : str
        What is done.
    total : int, optional
        How many there are, where the items have no length.

    Examples
    --------
    >>> [2 * k for k in tracked([1, 2, 3], "doubling")]
    [2, 4, 6]
    """
    if total is None:
        total = len(items)  # type: ignore[arg-type]
    with bar(title, total) as advance:
        for done, item in enumerate(items):
            # An item that was made lazily has taken its time already.
            advance(done)
            yield item
        advance(total)


@contextmanager
def bar(title: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar on standard error, once the block has taken :data:`PATIENCE` seconds.

    Parameters
    ----------
    title : str
        What is done.
    total : int
        How many pieces of work.

    Yields
    ------
    callable
        To be told how many are done.

    Examples
    --------
    >>> with bar("counting", 2) as advance:
    ...     advance(1)
    """
    wanted = _WANTED.get()
    if wanted is None:
        wanted = _terminal()
    if not wanted or total < 2 or _TAKEN.get():
        yield lambda _: None
        return
    token, begun = _TAKEN.set(True), time.monotonic()
    shown: list[Any] = []

    def advance(done: int) -> None:
        if not shown and done < total and time.monotonic() - begun > PATIENCE:
            shown.append(_started(title, total))
        if shown:
            shown[0].update(shown[0].task_ids[0], completed=done, refresh=True)

    try:
        yield advance
    finally:
        _TAKEN.reset(token)
        if shown:
            shown[0].stop()


def _terminal() -> bool:
    """Whether standard error is there and is a terminal."""
    stream = sys.stderr
    return stream is not None and not stream.closed and stream.isatty()


def _started(title: str, total: int) -> Any:
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    made = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=Console(file=sys.stderr, force_terminal=True),
        # No thread of its own: processes may be started while the bar stands.
        auto_refresh=False,
        transient=True,
    )
    made.add_task(escape(title), total=total)
    made.start()
    return made
