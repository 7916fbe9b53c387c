_base_ = '../gld/r110_r20_cifar100.py'

model = dict(distiller=dict(alpha=0, beta=0))
