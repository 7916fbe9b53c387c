# Copyright (c) gld_mm authors. All rights reserved.
import pytest
from mmengine.config import Config


def test_a_config_inherits_from_mmseg(tmp_path):
    pytest.importorskip('mmseg')
    (tmp_path /
     'a.py').write_text("_base_ = 'mmseg::_base_/schedules/schedule_20k.py'")
    cfg = Config.fromfile(tmp_path / 'a.py')
    assert cfg.train_cfg.max_iters == 20000
