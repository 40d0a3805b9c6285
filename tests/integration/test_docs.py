"""Every command of the documentation, run in its order; what it prints is what the page says. doc_pages.py says how."""
import os
import shutil

import pytest

import doc_pages
import service
from doc_session import Session, is_as_printed

PAGES = sorted(str(page.relative_to(service.REPOSITORY)) for page in [
    service.REPOSITORY / "README.md", *(service.REPOSITORY / "docs").glob("*.md"),
    *(service.REPOSITORY / "deploy").glob("*.md")])
DATA = {"c", "http", "json", "lua", "mermaid", "nginx", "text", "yaml", "ini"}
# How many blocks of each page no test runs. Each says why; one more is worth a second thought.
NOT_RUN = {"docs/containers.md": 4, "docs/install.md": 7, "docs/kubernetes.md": 3, "docs/library.md": 3, "docs/load-testing.md": 1, "docs/observe.md": 1, "docs/performance.md": 10}
WHERE = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"


def text_of(page):
    return (service.REPOSITORY / page).read_text()


@pytest.fixture(params=PAGES)
def page(request):
    return request.param


@pytest.fixture
def session():
    started = Session()
    yield started
    started.finish()


def test_every_block_says_what_it_is(page):
    text = text_of(page)
    assert not (found := doc_pages.indented_lines(text)), f"{page}: indented code at lines {found}: fence it"
    for block in doc_pages.blocks(text):
        assert block.language in DATA | {"sh", "console"}, f"{page}:{block.line}: {block.language!r}"


def test_what_is_not_run_is_counted_and_says_why(page):
    reasons = [reason for block in doc_pages.blocks(text_of(page)) if (reason := block.argument("not run"))]
    assert all(len(reason.split()) >= 3 for reason in reasons), reasons
    assert len(reasons) == NOT_RUN.get(page, 0), reasons


def test_the_code_map_has_every_module():
    page = text_of("docs/architecture.md")
    modules = [str(module.relative_to(service.REPOSITORY)) for module in (service.REPOSITORY / "src").rglob("*.c")
               if "\nconst struct endpoint " not in module.read_text()]  # endpoints are in the table of routes
    assert not (missing := [module for module in modules if f"\n{module} " not in page]), missing


def is_at_hand(block):
    program, _, user = (block.argument("needs") or "sh").partition(" as ")
    return shutil.which(program, path=WHERE) and (user != "root" or os.geteuid() == 0)


def run_block(session, block, where):
    *commands, last = block.commands()
    if block.note != "keeps running":
        commands.append(last)
    for command in commands:
        status, found = session.run(command.text)
        what = f"{where}:{command.line}: {command.text}"
        printed = "\n".join(found)
        # Where the page shows with what words a command fails, it may fail.
        assert status == 0 or command.output, f"{what}\nended with status {status}\n{printed}"
        if block.language == "console":
            assert is_as_printed(command.output, found), \
                f"{what}\nprinted\n{printed}\nand not\n" + "\n".join(command.output)
    if block.note == "keeps running":
        session.keep_running(last.text, last.output)


def test_every_command_does_what_the_page_says(page, session):
    for block in doc_pages.blocks(text_of(page)):
        if block.argument("file"):
            session.write(block.argument("file"), "\n".join(block.lines) + "\n")
        elif block.is_run and is_at_hand(block):
            run_block(session, block, page)
