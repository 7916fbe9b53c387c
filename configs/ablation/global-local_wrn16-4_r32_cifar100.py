_base_ = '../gld/wrn16-4_r32_cifar100.py'

model = dict(distiller=dict(beta=0))
