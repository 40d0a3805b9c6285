"""The readers of the documentation's tests: a test that could not fail would be worth nothing."""
import pytest

import doc_pages
from doc_session import Session, is_as_printed
from test_docs import run_block

PAGE = """
<!-- not run: it has no reason -->
```console
$ one
```

- in a list

  ```sh
  two \\
      three

  four
  ```

<!-- file: a.json -->
```json
{}
```
```console
$ five
its output
$ six
```
"""


def test_blocks_are_found_with_their_notes():
    blocks = doc_pages.blocks(PAGE)
    assert [(block.language, block.is_run) for block in blocks] == [
        ("console", False), ("sh", True), ("json", False), ("console", True)]
    assert blocks[0].argument("not run") == "it has no reason"
    assert blocks[2].argument("file") == "a.json"


def test_commands_are_read_with_their_output():
    _, plain, _, console = doc_pages.blocks(PAGE)
    assert [command.text for command in plain.commands()] == ["two \\\n    three", "four"]
    assert [(command.text, command.output) for command in console.commands()] == [
        ("five", ["its output"]), ("six", [])]


def test_indented_code_is_found_and_lists_are_left_alone():
    assert doc_pages.indented_lines("text\n\n    code\n") == [3]
    assert doc_pages.indented_lines("- item\n\n    more of it\n\n```text\n\n    code\n```\n") == []


@pytest.mark.parametrize("expected, found, same", [
    (["a"], ["a"], True),
    (["a"], ["b"], False),
    (["a"], ["a", "b"], False),
    ([], ["a"], False),
    (["a", "..."], ["a", "b", "c"], True),
    (["a", "..."], ["b"], False),
    (['{"a": 1, ...}'], ['{"a": 1, "b": 2}'], True),
    (["Retry-After: 6"], ["Retry-After: 12"], True),
    (["HTTP/1.1 200 OK"], ["HTTP/1.1 503 Service Unavailable"], False),
])
def test_what_varies_may_vary_and_nothing_else(expected, found, same):
    assert is_as_printed(expected, found) is same


@pytest.mark.parametrize("text", [
    "```sh\nfalse\n```",
    "```console\n$ false\n```",
    "```console\n$ echo yes\nno\n```",
    "```console\n$ echo unasked\n```",
    "<!-- keeps running -->\n```console\n$ echo yes\nno\n```",
])
def test_a_page_that_is_wrong_fails(text, monkeypatch):
    monkeypatch.setattr("doc_session.SERVE_S", 0.5)
    session = Session()
    try:
        with pytest.raises(AssertionError):
            for block in doc_pages.blocks(text):
                run_block(session, block, "page")
    finally:
        session.finish()


def test_a_shell_is_one_for_the_page_and_its_ports_are_its_own():
    session = Session()
    try:
        assert session.run("cd docs && x=8000") == (0, [])
        status, (directory, port) = session.run('basename "$PWD"; echo "$x"')
        assert (status, directory, port) == (0, "docs", "8000")
        assert session.run('echo "$PORT" "$x"') == (0, ["8000 8000"])
        assert session.ports[8000] != 8000
    finally:
        session.finish()
