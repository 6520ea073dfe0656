from typing import Annotated

from fastapi import Depends, Request

from common.authentication import authenticate
from tasks.transfer import context


async def _import_context(request: Request) -> context.ImportContext:
    user = await authenticate(request)
    state = request.app.state
    return context.ImportContext(
        database=state.engine,
        user=user,
        write_slots=state.concurrency.writes.for_user(user.id),
        limits=state.imports,
        tasks_max=state.settings.tasks_per_user_max,
    )


ImportContext = Annotated[context.ImportContext, Depends(_import_context)]
"""The context of an import."""
