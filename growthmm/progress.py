"""A progress bar on what takes more than a second or two.

Verbs say with :func:`showing` whether there may be one; whatever repeats something asks
:func:`tracked` or :func:`bar`. What has no known length, a search for a maximum, stands in
:func:`steps` and says with :func:`stepped` that it goes on. A bar within a bar is not shown.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

__all__ = ["FRAME", "PATIENCE", "bar", "showing", "stepped", "stepping", "steps", "tracked"]

Item = TypeVar("Item")

PATIENCE = 1.0
"""Seconds after which a bar is shown."""

_WANTED: ContextVar[bool | None] = ContextVar("wanted", default=None)
_TAKEN: ContextVar[bool] = ContextVar("taken", default=False)
_STEP: ContextVar[Callable[[], None] | None] = ContextVar("step", default=None)

FRAME = 0.1
"""Seconds between two pictures of a spinner."""


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
    if total < 2 or _TAKEN.get() or not _wanted():
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


@contextmanager
def steps(title: str) -> Iterator[None]:
    """A spinner and a count on standard error, once the block has taken :data:`PATIENCE` seconds.

    Parameters
    ----------
    title : str
        What is done.

    Examples
    --------
    >>> with steps("searching"):
    ...     stepped()
    """
    if _TAKEN.get() or not _wanted():
        yield
        return
    begun = time.monotonic()
    shown: list[Any] = []
    n, last = 0, begun

    def step() -> None:
        nonlocal n, last
        n, now = n + 1, time.monotonic()
        if not shown and now - begun > PATIENCE:
            shown.append(_spinning(title))
        if shown and (now - last > FRAME or n < 2):
            shown[0].update(shown[0].task_ids[0], completed=n, refresh=True)
            last = now

    # No bar within: what is tracked inside is part of this.
    taken, token = _TAKEN.set(True), _STEP.set(step)
    try:
        yield
    finally:
        _STEP.reset(token)
        _TAKEN.reset(taken)
        if shown:
            shown[0].stop()


def stepped() -> None:
    """Say that one more step of what :func:`steps` is about has been taken."""
    step = _STEP.get()
    if step is not None:
        step()


def stepping() -> bool:
    """Whether anybody is told of steps, so that waiting may be cut into pieces."""
    return _STEP.get() is not None


def _wanted() -> bool:
    wanted = _WANTED.get()
    return _terminal() if wanted is None else wanted


def _terminal() -> bool:
    """Whether standard error is there and is a terminal."""
    stream = sys.stderr
    return stream is not None and not stream.closed and stream.isatty()


def _started(title: str, total: int) -> Any:
    from rich.progress import BarColumn, MofNCompleteColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    return _progress(title, total, columns)


def _spinning(title: str) -> Any:
    from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

    count = TextColumn("step {task.completed}")
    return _progress(title, None, (count, TimeElapsedColumn()), SpinnerColumn())


def _progress(title: str, total: int | None, columns: tuple[Any, ...], *first: Any) -> Any:
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import Progress, TextColumn

    made = Progress(
        *first,
        TextColumn("{task.description}"),
        *columns,
        console=Console(file=sys.stderr, force_terminal=True),
        # No thread of its own: processes may be started while the bar stands.
        auto_refresh=False,
        transient=True,
    )
    made.add_task(escape(title), total=total)
    made.start()
    return made
