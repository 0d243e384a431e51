"""What a wrong gradient suggests: the mistake that its numbers show, and the rule of the program that is to blame."""
