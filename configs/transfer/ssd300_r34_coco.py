# Table 5, teacher
_base_ = '../teachers/ssd300_r34_coco.py'
