"""All routes of the service, in the order in which they are matched."""

from fastapi import APIRouter
from starlette.routing import BaseRoute

from tasks.bulk import endpoints as bulk_endpoints
from tasks.label import endpoints as label_endpoints
from tasks.sync import endpoints as sync_endpoints
from tasks.task import endpoints as task_endpoints
from tasks.task_list import endpoints as list_endpoints
from tasks.transfer import endpoints as transfer_endpoints

_routers = (
    sync_endpoints.router,  # before the tasks: `/tasks/changes` would match `/tasks/{task_id}`
    bulk_endpoints.router,
    task_endpoints.router,
    list_endpoints.router,
    label_endpoints.router,
    transfer_endpoints.router,
)

_routes: list[BaseRoute] = []
for _feature_router in _routers:
    _routes.extend(_feature_router.routes)

router = APIRouter(routes=_routes)
