"""The folder of a ConfigMap or a Secret in a pod, as the kubelet writes it: pkg/volume/util/atomic_writer.go."""
import datetime
import os
import shutil
import tempfile


class Volume:
    """What a pod sees at `path`: links that go through ..data, a link that is swapped for all files at once."""

    def __init__(self, path):
        self.path = path
        path.mkdir(exist_ok=True)

    def write(self, files):
        """The files, by their names, and no other ones."""
        before = self._data()
        data = self._new_folder()
        for name, text in files.items():
            (data / name).write_text(text)
        (self.path / "..data_tmp").symlink_to(data.name)
        os.rename(self.path / "..data_tmp", self.path / "..data")
        self._link(files)
        if before is not None:
            shutil.rmtree(before)

    def _data(self):
        link = self.path / "..data"
        return self.path / os.readlink(link) if link.is_symlink() else None

    def _new_folder(self):
        stamp = datetime.datetime.now(datetime.timezone.utc).strftime("..%Y_%m_%d_%H_%M_%S.")
        folder = tempfile.mkdtemp(prefix=stamp, dir=self.path)
        os.chmod(folder, 0o755)
        return self.path / os.path.basename(folder)

    def _link(self, files):
        """New names are linked after the swap; those that are gone are removed."""
        for name in files:
            if not (self.path / name).is_symlink():
                (self.path / name).symlink_to(f"..data/{name}")
        for entry in self.path.iterdir():
            if not entry.name.startswith("..") and entry.name not in files:
                entry.unlink()
