"""What /metrics says, read as a scraper reads it: strictly."""
import dataclasses
import re

OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"

_SAMPLE = re.compile(r'([a-z_]+)(?:\{((?:[a-z]+="(?:[^"\\\n]|\\[\\"n])*",?)+)\})? (\d+(?:\.\d+)?)')
_LABEL = re.compile(r'([a-z]+)="((?:[^"\\]|\\.)*)"')
_ESCAPES = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}


@dataclasses.dataclass
class Family:
    name: str
    help: str
    type: str = None
    samples: dict = dataclasses.field(default_factory=dict)  # (name, ((label, value), ...)): number

    def labels(self):
        return list(dict.fromkeys(label for _, labels in self.samples for label, _ in labels))


def _labels(text):
    return tuple((name, re.sub(r"\\.", lambda match: _ESCAPES[match.group()], value))
                 for name, value in _LABEL.findall(text or ""))


class Scrape:
    """families: by name, in their order. scrape["name", label...]: the value of a sample."""

    def __init__(self, text):
        assert text.endswith("\n")
        self.families = {}
        self.is_ended = text.endswith("\n# EOF\n")
        for line in text.removesuffix("# EOF\n").splitlines():
            self._read(line)
        assert all(family.type for family in self.families.values())

    def _read(self, line):
        if line.startswith("# HELP "):
            name, text = line.removeprefix("# HELP ").split(" ", 1)
            assert name not in self.families, f"{name} in two places"
            self.families[name] = Family(name, text)
            return
        family = list(self.families.values())[-1]
        if line.startswith("# TYPE "):
            name, family.type = line.removeprefix("# TYPE ").split(" ")
            assert name == family.name and not family.samples
            return
        found = _SAMPLE.fullmatch(line)
        assert found, f"not a sample: {line!r}"
        assert found.group(1).startswith(family.name), line
        key = (found.group(1), _labels(found.group(2)))
        assert key not in family.samples, f"{line!r} twice"
        family.samples[key] = float(found.group(3))

    def __getitem__(self, key):
        name, *values = (key,) if isinstance(key, str) else key
        (value,) = [value for family in self.families.values() for (sample, labels), value in family.samples.items()
                    if sample == name and tuple(text for _, text in labels) == tuple(values)]
        return value

    def __contains__(self, name):
        return name in self.families


def scrape(service, headers=()):
    """Asks the admin listener."""
    response = service.admin("GET", "/metrics", headers)
    assert response.status == 200, response
    return Scrape(response.body.decode())
