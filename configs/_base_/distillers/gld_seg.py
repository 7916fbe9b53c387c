# GLD on the class scores of a DeepLabV3+, before they are upsampled.
gld = dict(
    type='mmrazor.DenseGLDDistiller',
    cls_out_channels=21,
    # 500 on the 320 logits of a CIFAR-100 batch; 80 logits here
    beta=125,
    gather=True,
    scores='decode_head.conv_seg',
    labels='mmseg.models.decode_heads.decode_head.BaseDecodeHead.'
    '_stack_batch_gt')
