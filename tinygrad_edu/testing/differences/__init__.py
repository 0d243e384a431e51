"""Slopes by differences: how one is measured, along which directions, and when it disagrees with a gradient."""
