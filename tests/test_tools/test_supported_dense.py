# Copyright (c) gld_mm authors. All rights reserved.
import pytest

from tools.docs.supported_dense import main


def test_the_table_says_what_teaches_and_what_is_refused(tmp_path):
    pytest.importorskip('mmdet')
    pytest.importorskip('mmseg')
    main(['fastscnn', 'maskformer', 'retinanet', '--out', str(tmp_path / 'x')])
    segmentation, detection = (tmp_path / 'x').read_text().split('## mmdet')
    assert '1 of 2 families. 1 are refused with a one-line' in segmentation
    assert ('| fastscnn | `EncoderDecoder → FastSCNN → '
            'DepthwiseSeparableFCNHead` | ✓ | `DenseGLDDistiller` |'
            ) in segmentation
    assert 'Refused: maskformer (`MaskFormerHead`).' in segmentation
    assert '| ✓ | `SigmoidDenseGLDDistiller` |' in detection
