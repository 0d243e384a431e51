"""Answers in words: how a gradient comes about, and why one is missing, zero, tiny or not a number."""
