# Copyright (c) gld_mm authors. All rights reserved.
from .dense_logit_connector import DenseLogitConnector
from .dense_row_connector import DenseRowConnector
from .global_local_logit_connector import GlobalLocalLogitConnector

__all__ = [
    'DenseLogitConnector', 'DenseRowConnector', 'GlobalLocalLogitConnector'
]
