"""A terminal, by tmux, in which a shell runs what a test types, and whose screen the test reads."""
import os
import pathlib
import subprocess
import tempfile

import service
from waiting import wait_for


class Terminal:
    """
    A screen of so many columns and rows. env: for what is typed, besides what a user has.
    """

    def __init__(self, columns=100, rows=30, env=None):
        self.directory = tempfile.TemporaryDirectory(prefix="terminal-")
        self.path = pathlib.Path(self.directory.name)
        self._socket = str(self.path / "tmux")
        (self.path / "profile").write_text("PS1='$ '\n")
        variables = {**service.environment(env), "ENV": str(self.path / "profile"), "TERM": "xterm", "TZ": "UTC",
                     "PATH": f"{pathlib.Path(service.BINARY).resolve().parent}:{os.environ['PATH']}"}
        self._variables = {name: value for name, value in variables.items() if name not in ("ADMIN_LISTEN",)}
        self._tmux("-f", "/dev/null", "new-session", "-d", "-x", str(columns), "-y", str(rows), "-c", str(self.path), "sh")
        wait_for(lambda: "$" in self.text(), "the shell's prompt")

    def _tmux(self, *arguments):
        done = subprocess.run(["tmux", "-u", "-S", self._socket, *arguments], env=self._variables, capture_output=True,
                              text=True, timeout=30, check=False)
        assert done.returncode == 0, f"tmux {arguments}: {done.stderr}"
        return done.stdout

    def type(self, text):
        """A line, with the Return after it."""
        self._tmux("send-keys", "-l", text)
        self.press("Enter")

    def press(self, *keys):
        """By tmux' names of keys: "q", "Enter", "C-c", "Up"."""
        self._tmux("send-keys", *keys)

    def resize(self, columns, rows):
        self._tmux("resize-window", "-x", str(columns), "-y", str(rows))

    def text(self):
        return self._tmux("capture-pane", "-p")

    def styled(self):
        """With the sequences of its styles."""
        return self._tmux("capture-pane", "-p", "-e")

    def says(self, *parts):
        """Waits until the screen shows all of them, and returns its text."""
        try:
            return wait_for(lambda: (text := self.text()) and all(part in text for part in parts) and text, str(parts))
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.text()}") from None

    def says_no_more(self, part):
        wait_for(lambda: part not in self.text(), f"{part!r} is gone")

    def state(self):
        """What a program must leave as it found it: which screen is shown, whether the cursor is, wrapping, and the modes."""
        flags = self._tmux("display-message", "-p", "#{alternate_on} #{cursor_flag} #{wrap_flag} #{pane_title}")
        tty = self._tmux("display-message", "-p", "#{pane_tty}").strip()
        return flags, subprocess.run(["stty", "-a", "-F", tty], capture_output=True, text=True, check=True).stdout

    def children(self):
        """The processes that the shell has started and that are there still."""
        shell = self._tmux("display-message", "-p", "#{pane_pid}").strip()
        return [int(pid) for pid in pathlib.Path(f"/proc/{shell}/task/{shell}/children").read_text().split()]

    def finish(self):
        self._tmux("kill-server")
        self.directory.cleanup()
