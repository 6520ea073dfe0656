class CannotRunError(Exception):
    """Why something cannot start or go on, in one message for the developer."""
