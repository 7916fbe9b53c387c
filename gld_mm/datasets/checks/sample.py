# Copyright (c) gld_mm authors. All rights reserved.
from typing import List, Optional, Sequence, TypeVar

T = TypeVar('T')


def pick_evenly(items: Sequence[T], count: Optional[int]) -> List[T]:
    """Pick some items, evenly spread.

    Args:
        items (Sequence): Any items.
        count (int, optional): How many; None picks all.

    Returns:
        list: At most ``count`` of them, in their order.
    """
    if count is None or len(items) <= count:
        return list(items)
    return [items[i * len(items) // count] for i in range(count)]
