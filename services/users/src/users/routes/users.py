"""The addresses of profiles."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Response
from pydantic import TypeAdapter

from common.authentication import CurrentUser
from common.media_types import JSON_TYPE, MERGE_PATCH_TYPE
from common.validation import JsonBody, NoParameters, QueryParams
from users import service
from users.routes.needs import DbSession
from users.schemas import EXAMPLE_USER, UserChange, UserRead

router = APIRouter(tags=["users"])

_USER = TypeAdapter(UserRead)

UserId = Annotated[UUID, Path(description="The caller.", examples=[EXAMPLE_USER])]
Address = Depends(QueryParams(NoParameters))
Change = Annotated[
    UserChange, Depends(JsonBody(UserChange, media_types=(JSON_TYPE, MERGE_PATCH_TYPE)))
]


@router.get("/users/me", response_model=UserRead, dependencies=[Address])
async def get_me(user: CurrentUser, session: DbSession) -> Response:
    """Show the caller's profile."""
    return _answer(await service.get_user(session, user))


@router.patch("/users/me", response_model=UserRead)
async def change_me(change: Change, user: CurrentUser, session: DbSession) -> Response:
    """Change the caller's time zone; a body without one changes nothing."""
    return _answer(await service.change_user(session, user, change))


@router.get("/users/{user_id}", response_model=UserRead, dependencies=[Address])
async def get_user(user_id: UserId, user: CurrentUser, session: DbSession) -> Response:
    """Show the caller's profile at its own address; 403 for every other user."""
    return _answer(await service.get_named_user(session, user, user_id))


@router.put("/internal/users/me", status_code=204, include_in_schema=False, dependencies=[Address])
async def meet_me(user: CurrentUser, session: DbSession) -> None:
    """Make sure that the caller's profile is there and says what the token says."""
    await service.get_user(session, user)


def _answer(profile: UserRead) -> Response:
    return Response(_USER.dump_json(profile), media_type=JSON_TYPE)
