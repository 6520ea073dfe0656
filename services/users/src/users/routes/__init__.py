"""The addresses of this service, in the order in which they are searched."""

from fastapi import APIRouter

from users.routes import exchange, users

router = APIRouter(routes=[*users.router.routes, *exchange.router.routes])
