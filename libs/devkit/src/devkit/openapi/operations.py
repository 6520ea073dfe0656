"""Describes one route as an operation of the OpenAPI document."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final, cast, get_type_hints

from fastapi.datastructures import DefaultPlaceholder
from fastapi.routing import APIRoute
from starlette.responses import JSONResponse

from common.validation import JsonBody, NoParameters, QueryParams, StrictModel
from devkit.openapi.headers import header_references
from devkit.openapi.schemas import Json, SchemaRegistry, json_schema

SUCCESS_DESCRIPTIONS: Final = {
    200: "The request succeeded.",
    201: "The resource was created.",
    204: "The request succeeded; the response has no content.",
    304: "The client's copy is up to date; the response has no content.",
}
"""Descriptions of the responses that are no problem documents."""

RequestReader = JsonBody[StrictModel] | QueryParams[StrictModel]
"""The dependency of a route that reads its body or its query."""


def method_of(route: APIRoute) -> str:
    """Return the method of a route, as the document spells it."""
    return " ".join(route.methods or ()).lower()


def describe_operation(route: APIRoute, schemas: SchemaRegistry, problems: set[int]) -> Json:
    """Return the operation object of a route.

    Args:
        route: The route.
        schemas: Registry to which the models of the route are added.
        problems: Statuses of the problem documents that the route can respond with.
    """
    operation: Json = {
        "operationId": route.name,
        "summary": route.name.replace("_", " ").capitalize(),
        "description": route.description,
        "tags": route.tags,
        "parameters": _parameters(route, schemas),
    }
    body = body_reader(route)
    if body:
        operation["requestBody"] = _request_body(body, schemas)
    else:
        operation.update(route.openapi_extra or {})
    responses: Json = {}
    for status in _success_statuses(route):
        responses[str(status)] = _success_response(route, schemas, status)
    for status in sorted(problems):
        responses[str(status)] = {"$ref": f"#/components/responses/{status}"}
    operation["responses"] = responses
    return operation


def body_reader(route: APIRoute) -> JsonBody[StrictModel] | None:
    """Return the dependency that reads the body of a route."""
    reader = _request_reader(route)
    if isinstance(reader, JsonBody):
        return reader
    return None


def names_a_user(route: APIRoute) -> bool:
    """Check whether path, query or body of a route can have a `user_id`."""
    fields = set(route.param_convertors)
    fields.update(query_model(route).model_fields)
    body = body_reader(route)
    if body:
        fields.update(body.model.model_fields)
    return "user_id" in fields


def _request_reader(route: APIRoute) -> RequestReader | None:
    for dependency in route.dependant.dependencies:
        call: object = dependency.call
        if isinstance(call, JsonBody | QueryParams):
            return cast("RequestReader", call)
    return None


def query_model(route: APIRoute) -> type[StrictModel]:
    """Return what the query string of a route is validated as."""
    reader = _request_reader(route)
    if isinstance(reader, JsonBody):
        return reader.query
    if isinstance(reader, QueryParams):
        return reader.model
    return NoParameters


def _parameters(route: APIRoute, schemas: SchemaRegistry) -> list[Json]:
    parameters = _path_parameters(route, schemas)
    parameters.extend(_query_parameters(route))
    parameters.extend(_header_parameters(route))
    return parameters


def _path_parameters(route: APIRoute, schemas: SchemaRegistry) -> list[Json]:
    types = get_type_hints(route.endpoint, include_extras=True)
    parameters: list[Json] = []
    for name in route.param_convertors:
        schema = json_schema(types[name])
        parameters.append(_parameter(name, "path", schema, schemas))
    return parameters


def _query_parameters(route: APIRoute) -> list[Json]:
    """Describe the query; `null`, which means absent in a model, cannot be written in a query."""
    fields = json_schema(query_model(route)).get("properties", {})
    parameters: list[Json] = []
    for name, field in cast("Mapping[str, Json]", fields).items():
        alternatives = cast("list[Json]", field.pop("anyOf", [Json()]))
        (not_null,) = [choice for choice in alternatives if choice.get("type") != "null"]
        parameters.append(_parameter(name, "query", not_null | field, SchemaRegistry()))
    return parameters


def _header_parameters(route: APIRoute) -> list[Json]:
    """Describe the headers that the dependencies of a route read."""
    parameters: list[Json] = []
    for dependency in route.dependant.dependencies:
        headers = getattr(dependency.call, "headers", {})
        for name, schema in cast("Mapping[str, Json]", headers).items():
            parameters.append(_parameter(name, "header", dict(schema), SchemaRegistry()))
    return parameters


def _parameter(name: str, location: str, schema: Json, schemas: SchemaRegistry) -> Json:
    """Return a parameter object.

    Args:
        name: Name of the parameter.
        location: `path`, `query` or `header`.
        schema: Its schema, with one example; members that belong to the parameter are moved there.
        schemas: Registry to which the schema is added if it has a title.
    """
    (example,) = cast("list[object]", schema.pop("examples"))
    parameter: Json = {"name": name, "in": location, "required": location == "path"}
    for member in ("description", "deprecated"):
        if member in schema:
            parameter[member] = schema.pop(member)
    parameter["schema"] = schemas.reference(schema)
    parameter["example"] = example
    return parameter


def _request_body(reader: JsonBody[StrictModel], schemas: SchemaRegistry) -> Json:
    content = {"schema": schemas.reference(json_schema(reader.model))}
    return {"required": reader.required, "content": dict.fromkeys(reader.media_types, content)}


def _success_statuses(route: APIRoute) -> list[int]:
    statuses = {route.status_code or HTTPStatus.OK.value}
    statuses.update(int(status) for status in route.responses)
    return sorted(statuses & SUCCESS_DESCRIPTIONS.keys())


def _success_response(route: APIRoute, schemas: SchemaRegistry, status: int) -> Json:
    """Return a response that is no problem document, with what the route itself says of it."""
    declared = cast("dict[str, Json]", route.responses.get(status, {}))
    response: Json = {
        "description": SUCCESS_DESCRIPTIONS[status],
        "headers": header_references() | declared.get("headers", {}),
    }
    for member in ("links", "content"):
        if member in declared:
            response[member] = declared[member]
    if status != HTTPStatus.NOT_MODIFIED and "content" not in declared:
        content = _success_content(route, schemas)
        if content:
            response["content"] = content
    return response


def _success_content(route: APIRoute, schemas: SchemaRegistry) -> Json:
    """Return the content of a response by its media type; empty if there is none."""
    if route.response_model is not None:
        schema = schemas.reference(json_schema(route.response_model, "serialization"))
        return {"application/json": {"schema": schema}}
    if isinstance(route.response_class, DefaultPlaceholder):
        return {}
    schema_type = "string"
    if issubclass(route.response_class, JSONResponse):
        schema_type = "object"
    return {str(route.response_class.media_type): {"schema": {"type": schema_type}}}
