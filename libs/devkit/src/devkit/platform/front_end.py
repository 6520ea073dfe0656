"""What `make run` shows in a browser: Better Auth at `/api/auth/`, the app at `/`."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from devkit.platform.better_auth import install_better_auth, is_better_auth_installed
from devkit.platform.errors import CannotRunError
from devkit.platform.processes import ProcessGroup
from devkit.platform.settings import RunSettings
from devkit.platform.web_app import BUILD, build_app, install_app_packages, is_app_built

Report = Callable[[str], None]
"""Shows a step of the start to the developer."""

OTHER_BETTER_AUTH: Final = (
    "No app and no sign-in: BETTER_AUTH_URL names a Better Auth server of your own."
)


@dataclass(frozen=True)
class FrontEnd:
    """What can be started and shown."""

    has_better_auth: bool
    """Whether the server of `deploy/better-auth` is to be started."""

    app_folder: Path | None
    """The built app; None if it is not shown."""

    missing: list[str] = field(default_factory=list[str])
    """Sentences that say what is not there although it was not switched off, and why."""


async def prepare_front_end(group: ProcessGroup, settings: RunSettings, report: Report) -> FrontEnd:
    """Install and build what is missing. The platform runs without it if that fails."""
    own_app = settings.app_folder if settings.app == "on" else None
    builds_app = settings.app == "on" and not own_app
    if settings.names_better_auth:
        missing = [OTHER_BETTER_AUTH] if builds_app else []
        return FrontEnd(has_better_auth=False, app_folder=own_app, missing=missing)
    sign_in_failure, app_failure = await asyncio.gather(
        _prepare_better_auth(group, report),
        _prepare_app(group, report, is_wanted=builds_app),
    )
    if sign_in_failure:
        what = "No sign-in and no app" if builds_app else "No sign-in"
        missing = [f"{what}: {sign_in_failure}."]
        return FrontEnd(has_better_auth=False, app_folder=own_app, missing=missing)
    if app_failure:
        return FrontEnd(has_better_auth=True, app_folder=None, missing=[f"No app: {app_failure}."])
    return FrontEnd(has_better_auth=True, app_folder=BUILD if builds_app else own_app)


async def _prepare_better_auth(group: ProcessGroup, report: Report) -> str | None:
    """Return why there is no server, None if there is one."""
    if is_better_auth_installed():
        return None
    report("Installing the Better Auth server with npm")
    return await _attempt(install_better_auth(group))


async def _prepare_app(group: ProcessGroup, report: Report, *, is_wanted: bool) -> str | None:
    """Return why there is no app, None if there is one or none is wanted."""
    if not is_wanted or is_app_built():
        return None
    report("Installing what the app is built with, with npm")
    reason = await _attempt(install_app_packages(group))
    if reason:
        return reason
    report("Building the app")
    return await _attempt(build_app(group))


async def _attempt(step: Awaitable[None]) -> str | None:
    """Return why a step failed, None if it did not."""
    try:
        await step
    except CannotRunError as error:
        return str(error)
    return None
