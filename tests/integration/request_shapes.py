"""Requests that are made as large as one likes, each in one way. A shape is a function of a number of bytes."""


def _cut(unit, size):
    return (unit * (size // len(unit) + 1))[:size]


def _of(target=b"/", lines=b"", method=b"GET"):
    return lambda version: method + b" " + target + b" " + version + b"\r\nHost: test\r\n" + lines + b"\r\n"


def _lines(size, unit):
    """Whole lines of about as many bytes."""
    return unit * (size // len(unit))


SHAPES = {
    "one header": lambda size: _of(lines=b"X: " + b"x" * size + b"\r\n"),
    "two headers": lambda size: _of(lines=b"X: " + b"x" * (size // 2) + b"\r\nY: " + b"y" * (size - size // 2) + b"\r\n"),
    "many headers": lambda size: _of(lines=_lines(size, b"a: b\r\n") + b"X: " + b"x" * (size % 6) + b"\r\n"),
    "blanks before a value": lambda size: _of(lines=b"X:" + b" " * size + b"x\r\n"),
    "cookies": lambda size: _of(lines=b"Cookie: " + _cut(b"a=b; ", size) + b"\r\n"),
    "cookies without values": lambda size: _of(lines=b"Cookie: " + _cut(b"a;", size) + b"\r\n"),
    "long cookies": lambda size: _of(lines=b"Cookie: " + _cut(b"name=" + b"v" * 40 + b"; ", size) + b"\r\n"),
    "arguments": lambda size: _of(b"/?" + _cut(b"a=1&", size)),
    "arguments without values": lambda size: _of(b"/?" + _cut(b"a&", size)),
    "path": lambda size: _of(b"/" + b"x" * size),
    "method": lambda size: _of(method=b"A" * (size + 1)),
    "arguments, cookies and headers": lambda size: _of(
        b"/?" + _cut(b"a=1&", size // 3),
        b"Cookie: " + _cut(b"a=b; ", size // 3) + b"\r\n" + _lines(size // 3, b"a: b\r\n")),
}
