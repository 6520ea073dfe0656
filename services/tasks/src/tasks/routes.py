"""The addresses of this service, in the order in which they are searched."""

from fastapi import APIRouter

from tasks.label import endpoints as labels
from tasks.sync import endpoints as changes
from tasks.task import endpoints as tasks
from tasks.task_list import endpoints as lists
from tasks.transfer import endpoints as exchange

# The feed comes first, or its name would be read as the id of a task.
_modules = (changes, tasks, lists, labels, exchange)
router = APIRouter(routes=[route for module in _modules for route in module.router.routes])
