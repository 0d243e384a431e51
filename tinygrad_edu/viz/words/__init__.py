"""A backward pass in words: a tree, the steps, how a gradient comes about, and why one is missing or zero."""
