"""The addresses of this service, in the order in which they are searched."""

from fastapi import APIRouter

from tasks.routes import changes, exchange, labels, lists, tasks

# The feed comes first, or its name would be read as the id of a task.
_modules = (changes, tasks, lists, labels, exchange)
router = APIRouter(routes=[route for module in _modules for route in module.router.routes])
