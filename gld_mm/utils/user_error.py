# Copyright (c) gld_mm authors. All rights reserved.
class UserError(Exception):
    """What a user can put right, said in one line."""
