"""The main job from nothing: samples, a home of its own, and whether all came as announced."""
