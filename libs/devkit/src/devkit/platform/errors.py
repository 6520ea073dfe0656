class CannotRunError(Exception):
    """Something cannot start or go on; the message tells the developer why."""
