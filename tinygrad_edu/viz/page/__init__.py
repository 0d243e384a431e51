"""The explorer: a backward pass step by step, in one HTML file that needs nothing else."""
