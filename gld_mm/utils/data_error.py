# Copyright (c) gld_mm authors. All rights reserved.


class DataError(Exception):
    """Something about the data that the user has to repair, in one line."""
