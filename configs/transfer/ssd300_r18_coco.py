# Table 5, student: a ResNet-18 trained on ImageNet alone
_base_ = '../baseline/ssd300_r18_coco.py'
