# Copyright (c) gld_mm authors. All rights reserved.
from .dense_logit_connector import DenseLogitConnector
from .dense_row_connector import DenseRowConnector

__all__ = ['DenseLogitConnector', 'DenseRowConnector']
