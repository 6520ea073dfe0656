"""Parameters of an imported task."""

from tasks.task.parameters import creation_params as task_params

__all__ = ["task_params"]
