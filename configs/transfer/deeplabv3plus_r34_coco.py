# Table 6, teacher, but for the head
_base_ = '../teachers/deeplabv3plus_r34_coco.py'
