# Copyright (c) gld_mm authors. All rights reserved.
from .teacher_val_hook import TeacherValHook

__all__ = ['TeacherValHook']
