"""Intake: what producers hand in, turned into jobs that may be placed or rejections that say why not."""
