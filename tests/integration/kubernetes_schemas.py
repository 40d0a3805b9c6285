"""
Schemas of Kubernetes' objects for kubeconform, from Kubernetes' own description and from those of extensions.

    python3 kubernetes_schemas.py FOLDER swagger.json CRD.yaml...

FOLDER gets a file KIND-GROUP-VERSION.json, in small letters, for each kind, which holds all it refers to. No object may have
a field that its description does not have.
"""
import json
import pathlib
import sys

import yaml

INT_OR_STRING = {"oneOf": [{"type": "string"}, {"type": "integer"}]}


def strict(schema):
    """The schema, where objects with fields have no other ones."""
    if isinstance(schema, list):
        return [strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("x-kubernetes-int-or-string") or schema.get("format") == "int-or-string":
        return INT_OR_STRING
    made = {key: strict(value) for key, value in schema.items()}
    if isinstance(made.get("properties"), dict) and not schema.get("x-kubernetes-preserve-unknown-fields"):
        made.setdefault("additionalProperties", False)
    return made


def references(schema):
    """The names of the definitions that it refers to."""
    if isinstance(schema, list):
        return {name for part in schema for name in references(part)}
    if not isinstance(schema, dict):
        return set()
    found = {name for key, value in schema.items() if key != "$ref" for name in references(value)}
    return found | {schema["$ref"].removeprefix("#/definitions/")} if "$ref" in schema else found


def closure(name, definitions):
    """This definition, and all that it refers to."""
    needed, todo = set(), {name}
    while todo:
        needed |= todo
        todo = {other for one in todo for other in references(definitions[one])} - needed
    return {one: definitions[one] for one in sorted(needed)}


def write(folder, group, version, kind, schema):
    words = [kind, *([group.split(".")[0]] if group else []), version]
    (folder / ("-".join(words).lower() + ".json")).write_text(json.dumps(schema))


def from_swagger(folder, path):
    definitions = strict(json.loads(path.read_text())["definitions"])
    for name, schema in definitions.items():
        for kind in schema.get("x-kubernetes-group-version-kind", []):
            if "kind" in schema.get("properties", {}):
                write(folder, kind["group"], kind["version"], kind["kind"],
                      {"$ref": f"#/definitions/{name}", "definitions": closure(name, definitions)})


def from_extension(folder, path):
    spec = yaml.safe_load(path.read_text())["spec"]
    for version in spec["versions"]:
        schema = strict(version["schema"]["openAPIV3Schema"])
        schema["properties"]["metadata"] = {"type": "object"}  # it is checked with the other kinds
        write(folder, spec["group"], version["name"], spec["names"]["kind"], schema)


def main(folder, swagger, *extensions):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    from_swagger(folder, pathlib.Path(swagger))
    for extension in extensions:
        from_extension(folder, pathlib.Path(extension))


if __name__ == "__main__":
    main(*sys.argv[1:])
