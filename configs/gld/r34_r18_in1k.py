# GLD, table 3
_base_ = '../_base_/pairs/pair_r34_r18_in1k.py'

model = dict(
    type='mmrazor.GLDDistill',
    # Open in the paper: alpha and beta are those of CIFAR-100. With
    # gather=True relations are among the logits of all processes.
    distiller=dict(
        type='mmrazor.GLDDistiller', alpha=0.7, beta=500, grid=2, gather=True))
