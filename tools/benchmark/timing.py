# Copyright (c) gld_mm authors. All rights reserved.
"""What the benchmarks share: times of alternatives, one after the other."""
import time
from statistics import median
from typing import Callable, Dict, List, Mapping, TypeVar

import torch

Key = TypeVar('Key')


def seconds(work: Callable, *args) -> float:
    """Time one call, to its end on the GPU too."""
    synchronize()
    start = time.perf_counter()
    work(*args)
    synchronize()
    return time.perf_counter() - start


def synchronize() -> None:
    """Wait for what the GPU, where there is one, still has to do."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def side_by_side(works: Mapping[Key, Callable],
                 rounds: int) -> Dict[Key, List[float]]:
    """Time each alternative in every round; a round before them warms up."""
    times: Dict[Key, List[float]] = {key: [] for key in works}
    for number in range(rounds + 1):
        for key, work in works.items():
            taken = seconds(work)
            if number:
                times[key].append(taken)
    return times


def median_ratio(times: List[float], others: List[float]) -> float:
    """The median of the ratios within a round."""
    return median(a / b for a, b in zip(times, others))


def milliseconds(times: List[float]) -> str:
    """The median, with the minimum and maximum in brackets."""
    return (f'{1e3 * median(times):,.1f} '
            f'({1e3 * min(times):,.1f} - {1e3 * max(times):,.1f})')
