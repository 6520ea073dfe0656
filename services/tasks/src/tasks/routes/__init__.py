"""The addresses of this service, in the order in which they are searched."""

from fastapi import APIRouter

from tasks.routes import changes, exchange, tasks

# The feed comes first, or its name would be read as the id of a task.
router = APIRouter(routes=[*changes.router.routes, *tasks.router.routes, *exchange.router.routes])
