"""Pictures of a training: recorded while it runs, plotted with matplotlib afterwards."""
