"""Bars in notebooks."""

import sys
from typing import Any, Callable, Optional


def bar(is_forced: bool) -> Optional[Callable[[int, int], None]]:
    """A function of the numbers of networks done and in all that shows them as a bar of tqdm.

    None where the command's own bar is to be shown: without tqdm, and outside of notebooks unless it is forced.
    """
    if not is_forced and not _in_kernel():
        return None
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return None
    shown: Optional[Any] = None

    def show(done: int, total: int) -> None:
        nonlocal shown
        if shown is None:
            shown = tqdm(total=total, leave=False)
        shown.update(done - shown.n)
        if done >= total:
            shown.close()

    # Work that ends before its end leaves the bar to be closed with this function, by tqdm itself.
    return show


def _in_kernel() -> bool:
    """Whether this is the kernel of a notebook. What its standard error is says nothing: Jupyter may have been started
    in a terminal, which is not where one looks."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return getattr(shell, "kernel", None) is not None
