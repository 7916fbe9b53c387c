# Copyright (c) gld_mm authors. All rights reserved.
from .cifar_resnet import CifarResNet

__all__ = ['CifarResNet']
