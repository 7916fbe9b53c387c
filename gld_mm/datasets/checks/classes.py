# Copyright (c) gld_mm authors. All rights reserved.
"""Find labels that do not mean the same in two places."""
from typing import Optional, Sequence


def describe_conflict(ours: Optional[Sequence[str]],
                      theirs: Optional[Sequence[str]], our_name: str,
                      their_name: str) -> str:
    """Say in one line which class has two labels.

    Args:
        ours (Sequence[str], optional): Names of the classes, by label.
        theirs (Sequence[str], optional): The same of something else.
        our_name (str): What to call the first.
        their_name (str): What to call the second.

    Returns:
        str: One line; empty if every name that both have has the same label
        in both, or if one of them names no classes.
    """
    labels = _labels(theirs)
    for name, label in _labels(ours).items():
        if labels.get(name, label) != label:
            order = 'the same classes in another order' if sorted(
                labels) == sorted(_labels(ours)) else 'other classes'
            return (f'{their_name} has {order}: "{name}" is label {label} of '
                    f'{our_name} and label {labels[name]} of {their_name}.')
    return ''


def _labels(names: Optional[Sequence[str]]) -> dict:
    """The first label of each name; ImageNet has two names twice."""
    found: dict = {}
    for label, name in enumerate(names or ()):
        found.setdefault(name, label)
    return found
