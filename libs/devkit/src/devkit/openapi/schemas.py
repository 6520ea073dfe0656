"""The JSON schemas of the OpenAPI document."""

import json
from collections.abc import Mapping
from typing import Final, cast

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue
from pydantic_core.core_schema import WithDefaultSchema
from typing_extensions import TypeForm

Json = dict[str, object]

_REFERENCE: Final = "#/components/schemas/{model}"


class ConflictError(Exception):
    """Two services use one name for different things."""


class _WireSchemaGenerator(GenerateJsonSchema):
    """Leaves out what clients do not see: default values, and titles made of field names.

    The order of the fields is kept.
    """

    def default_schema(self, schema: WithDefaultSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def field_title_should_be_set(self, *_: object, **__: object) -> bool:
        return False

    def sort(self, value: JsonSchemaValue, *_: object, **__: object) -> JsonSchemaValue:
        return value


def reference_to(model: str) -> str:
    """Return the `$ref` of a named schema."""
    return _REFERENCE.format(model=model)


def json_schema(annotation: TypeForm[object], mode: JsonSchemaMode = "validation") -> Json:
    """Return the schema of what a type reads, or with mode `serialization` of what it writes."""
    schema = TypeAdapter(annotation).json_schema(
        mode=mode, ref_template=_REFERENCE, schema_generator=_WireSchemaGenerator
    )
    return _name_models_by_title(schema)


def _name_models_by_title(schema: Json) -> Json:
    """Name models by their titles, so that renaming a class changes nothing for clients."""
    if "$defs" not in schema:
        return schema
    text = json.dumps(schema)
    for class_name, model in cast("dict[str, Json]", schema["$defs"]).items():
        class_reference = f'"{reference_to(class_name)}"'
        title_reference = f'"{reference_to(str(model["title"]))}"'
        text = text.replace(class_reference, title_reference)
    renamed: Json = json.loads(text)
    models: Json = {}
    for model in cast("dict[str, Json]", renamed["$defs"]).values():
        models[str(model["title"])] = model
    renamed["$defs"] = models
    return renamed


class SchemaRegistry:
    """The named schemas of all services."""

    def __init__(self) -> None:
        self.named: Json = {}

    def add(self, name: str, schema: Json) -> None:
        """Add a schema; adding an equal one again is allowed.

        Raises:
            ConflictError: Another schema has this name.
        """
        if name in self.named and self.named[name] != schema:
            raise ConflictError(f"Two schemas are called {name}.")
        self.named[name] = schema

    def reference(self, schema: Json) -> Json:
        """Add a schema with a title, and the models in it; return a reference to it.

        A schema without a title is returned as it is.

        Raises:
            ConflictError: Another schema has the title as its name.
        """
        for name, model in cast("dict[str, Json]", schema.pop("$defs", {})).items():
            self.add(name, _with_example(model))
        if "title" not in schema:
            return schema
        title = str(schema["title"])
        self.add(title, _with_example(schema))
        return {"$ref": reference_to(title)}


def _with_example(schema: Json) -> Json:
    """Return the schema with an example made of those of its fields, unless a field has none.

    An example of the schema itself is kept.
    """
    fields = cast("Mapping[str, Json]", schema.get("properties", {}))
    if not fields:
        return schema
    example: Json = {}
    for name, field in fields.items():
        field_examples = _examples(field)
        if not field_examples:
            return schema
        example[name] = field_examples[0]
    return {"examples": [example]} | schema


def _examples(field: Json) -> list[object]:
    """Return the examples of a field, and those of its alternatives."""
    examples = list(cast("list[object]", field.get("examples", [])))
    for alternative in cast("list[Json]", field.get("anyOf", [])):
        examples.extend(cast("list[object]", alternative.get("examples", [])))
    return examples
