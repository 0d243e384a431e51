"""The table's chapters. Importing this package fills the table of derivative rules."""

from tinygrad_edu.rules import constant, elementwise, indexing, linear, reduction, shape

__all__ = ["constant", "elementwise", "indexing", "linear", "reduction", "shape"]
