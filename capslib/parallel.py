"""Calls of one function side by side, each in a process of its own: on this machine, or on the workers of a cluster."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from typing import Any, TypeVar

from capslib.checks import check_count

Job = TypeVar("Job")
"""What a call is given; it can be pickled."""


def here(workers: int, f: Callable[[Job], Any], jobs: Sequence[Job]) -> Iterator[tuple[Job, Any]]:
    """Call f on every job, in processes of this machine that are started afresh for each.

    Args:
        workers: how many run side by side, at least 1.
        f: a function that can be pickled.
        jobs: what it is called with.

    Yields:
        A job and what f returned, or the exception that it raised, as they are done.

    Raises:
        ValueError: if `workers` is out of range.
    """
    with ProcessPoolExecutor(check_count("workers", workers), get_context("spawn"), max_tasks_per_child=1) as pool:
        sent = {pool.submit(f, job): job for job in jobs}
        try:
            for future in as_completed(sent):
                yield sent[future], future.exception() or future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def on_cluster(scheduler: str, f: Callable[[Job], Any], jobs: Sequence[Job]) -> Iterator[tuple[Job, Any]]:
    """Call f on every job, on the workers of a dask scheduler; a job whose worker dies goes to another one.

    Args:
        scheduler: its address, such as "tcp://host:8786".
        f: a function that the workers can import. It should start a process of its own for what it computes, since a
            worker shares one among its jobs.
        jobs: what it is called with.

    Yields:
        As `here` does.

    Raises:
        ValueError: if dask is not installed.
    """
    try:
        from distributed import Client
        from distributed import as_completed as completed
    except ImportError as error:
        raise ValueError(
            f"scheduler: got {scheduler!r}, but dask is not installed; expected it from: pip install 'capslib[cluster]'"
        ) from error
    with Client(scheduler) as client:
        sent = {client.submit(f, job, pure=False, retries=3): job for job in jobs}
        for future in completed(sent):
            yield sent[future], future.exception() or future.result()
