# Copyright (c) gld_mm authors. All rights reserved.
from .global_local_logit_connector import GlobalLocalLogitConnector

__all__ = ['GlobalLocalLogitConnector']
