"""What there is to see of a backward pass, as data; it knows nothing of pictures, pages or terminals."""
