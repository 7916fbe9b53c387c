# GLD, setup (b), with what later methods found: a temperature, a second grid
# and a warm-up. The local term sums over 20 cells instead of 4.
_base_ = '../gld/wrn16-2_wrn16-1_cifar100.py'

model = dict(distiller=dict(temperature=2, grid=4, pyramid=True, gamma=0.6))
default_hooks = dict(
    distillation_warmup=dict(type='DistillationWarmupHook', part=0.1))
