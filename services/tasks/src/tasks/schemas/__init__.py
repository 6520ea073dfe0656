"""What goes over the wire: a module for each thing that is shown."""
