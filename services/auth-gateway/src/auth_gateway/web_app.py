"""The app in a browser, from the folder of its build, or a page that says how to begin without it.

All files are read at the start: a path is looked up in a mapping, and never in the file system.
"""

import re
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from auth_gateway.settings import APP_INDEX
from auth_gateway.static_files import IMMUTABLE, REVALIDATE, StaticFile
from common.problems import NotFound

PATHS: Final = ("/", "/sw.js", "/assets/{path:path}")
"""All paths of the app, as the edge routes them; its own navigation is in the URL's fragment.

The service worker is not with the assets, because it controls only what is below its own path.
Source: Service Workers, 6.1.1.
"""

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Nothing inline, and nothing from another origin. A service worker takes it from its own file."""

MEDIA_TYPES: Final = {
    ".css": "text/css",
    ".html": "text/html",
    ".ico": "image/x-icon",
    ".jpg": "image/jpeg",
    ".js": "text/javascript",
    ".json": "application/json",
    ".map": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}
"""Media types by the end of the name; `mimetypes` would depend on the machine."""

_UNKNOWN_MEDIA_TYPE: Final = "application/octet-stream"
_HASHED_NAME: Final = re.compile(
    r"""
    -(?=[a-z-]*[A-Z0-9_])   # a word such as `settings` is no hash
    [A-Za-z0-9_-]{8}
    (\.[a-z0-9]+)+$         # `.js`, `.js.map`
    """,
    re.VERBOSE,
)
"""The end of a name that has a hash of the content, as Vite makes it: `index-BjUaDyP0.js`."""

Files = Mapping[str, StaticFile]
"""Files by their paths in a URL."""


def web_app_routes(folder: Path | None) -> list[BaseRoute]:
    """Return the routes of the app, which are no part of the API and its OpenAPI document.

    Args:
        folder: The built app; None for the page without it.
    """
    files_by_path = _read_start_page() if folder is None else _read_app(folder.resolve())

    async def show_file(request: Request) -> Response:
        path: str = request.scope["path"]
        file = files_by_path.get(path)
        if file is None:
            raise NotFound
        headers = {"Content-Security-Policy": CONTENT_SECURITY_POLICY}
        headers["Cache-Control"] = IMMUTABLE if _HASHED_NAME.search(path) else REVALIDATE
        return await file.respond(request, headers)

    return [Route(path, show_file) for path in PATHS]


def _read_app(folder: Path) -> Files:
    """Return the files of a build.

    A link is followed only inside of the folder: no other file of the machine may be shown.
    """
    paths = {"/": folder / APP_INDEX, "/sw.js": folder / "sw.js"}
    for file in (folder / "assets").rglob("*"):
        paths[f"/{file.relative_to(folder).as_posix()}"] = file
    files_by_path: dict[str, StaticFile] = {}
    for path, file in paths.items():
        if file.is_file() and file.resolve().is_relative_to(folder):
            files_by_path[path] = _to_static_file(file.name, file.read_bytes())
    return files_by_path


def _read_start_page() -> Files:
    public = files("auth_gateway").joinpath("public")
    names = {
        "/": "without-app/index.html",
        "/sw.js": "without-app/sw.js",
        "/assets/start.css": "without-app/start.css",
        "/assets/start.svg": "start.svg",
    }
    return {
        path: _to_static_file(name, public.joinpath(name).read_bytes())
        for path, name in names.items()
    }


def _to_static_file(name: str, content: bytes) -> StaticFile:
    return StaticFile(content, MEDIA_TYPES.get(Path(name).suffix, _UNKNOWN_MEDIA_TYPE))
