# Copyright (c) gld_mm authors. All rights reserved.
from importlib import metadata

# Whether the hosts are those of OneDL
ONEDL = any(d.name == 'onedl-mmengine' for d in metadata.distributions())
