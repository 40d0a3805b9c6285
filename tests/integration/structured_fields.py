"""The lists of strings with parameters of RFC 9651, strictly: what RateLimit and RateLimit-Policy are made of."""
import re

_STRING = re.compile(r'"((?:[\x20-\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"')
_PARAMETER = re.compile(r";[ ]*([a-z*][a-z0-9_.*-]*)=(-?[0-9]{1,15})")
_COMMA = re.compile(r"[ \t]*,[ \t]*")


def parse(text):
    """[("name", {"q": 10, "w": 60}), ...] in the order of the field; ValueError if it is not one."""
    members, at = [], 0
    while True:
        string = _STRING.match(text, at)
        if not string:
            raise ValueError(f"no string at {at} of {text!r}")
        at = string.end()
        parameters = {}
        while parameter := _PARAMETER.match(text, at):
            parameters[parameter.group(1)] = int(parameter.group(2))
            at = parameter.end()
        members.append((re.sub(r"\\(.)", r"\1", string.group(1)), parameters))
        if at == len(text):
            return members
        comma = _COMMA.match(text, at)
        if not comma:
            raise ValueError(f"neither a parameter nor a comma at {at} of {text!r}")
        at = comma.end()
