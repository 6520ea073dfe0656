"""What may be done, and in which order: a module for each thing that it is done with."""
