# Copyright (c) gld_mm authors. All rights reserved.
