"""
The pages of the documentation, read as their tests read them.

Every block of code is fenced, and the language after the fence says what it is:

    ```console      a session: what follows `$ ` is typed (a line that ends in `\\` goes on in the next), the other lines
                    are what it prints. `...` stands for any text; alone on a line, for any lines.
    ```sh           commands, one a line, whose output does not matter: each must succeed.
    anything else   is not run.

A comment of HTML on the line before says more; it is not seen on the page:

    <!-- keeps running -->            the block's last command is one for a terminal of its own: a service, say
    <!-- file: NAME -->               the block is the contents of that file, for the commands that follow
    <!-- needs: PROGRAM -->           not run where PROGRAM is not installed; `PROGRAM as root`: nor by other users
    <!-- not run: REASON -->          not run at all
"""
import dataclasses
import re

FENCE = re.compile(r"^( *)```(.*)$")
NOTE = re.compile(r"^ *<!-- (keeps running|(?:file|needs|not run): .*?) -->$")


@dataclasses.dataclass
class Command:
    line: int
    text: str
    output: list = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Block:
    line: int
    language: str
    note: str
    lines: list = dataclasses.field(default_factory=list)

    @property
    def is_run(self):
        return self.language in ("sh", "console") and not self.note.startswith("not run:")

    def argument(self, kind):
        """What follows `kind:` in its note, if that is the kind of its note."""
        return self.note[len(kind) + 2:] if self.note.startswith(kind + ": ") else None

    def commands(self):
        """In their order; those of a console with what they print."""
        found = []
        open_line = False
        for number, line in enumerate(self.lines, self.line + 1):
            typed = line.removeprefix("$ ") if self.language == "console" else line
            if open_line:
                found[-1].text += "\n" + line
            elif self.language == "sh" or typed != line:
                if typed.strip():
                    found.append(Command(number, typed))
            else:
                assert found, f"line {number}: output without a command"
                found[-1].output.append(line)
                continue
            open_line = line.endswith("\\")
        return found


def blocks(text):
    """The fenced blocks of a page of Markdown, in their order."""
    found = []
    current = None
    before = ""
    for number, line in enumerate(text.splitlines(), 1):
        fence = FENCE.match(line)
        if fence and current is None:
            note = NOTE.match(before)
            indent = fence.group(1)
            current = Block(number, fence.group(2).strip(), note.group(1) if note else "")
        elif fence:
            found.append(current)
            current = None
        elif current is not None:
            current.lines.append(line.removeprefix(indent))
        before = line
    assert current is None, f"line {current.line}: the block has no end"
    return found


def indented_lines(text):
    """Numbers of the lines that Markdown takes for code because they are indented: after a blank line, in no list."""
    found = []
    in_fence = in_list = False
    before = ""
    for number, line in enumerate(text.splitlines(), 1):
        if FENCE.match(line):
            in_fence = not in_fence
        elif not in_fence and line.strip():
            if re.match(r" *([-*]|\d+\.) ", line):
                in_list = True
            elif not line.startswith(" "):
                in_list = False
            elif line.startswith("    ") and not before.strip() and not in_list:
                found.append(number)
        before = line
    return found
