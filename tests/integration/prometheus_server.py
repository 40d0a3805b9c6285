"""Debian's Prometheus with deploy/observe/prometheus.yml, scraping one service many times a second."""
import json
import pathlib
import tempfile
import urllib.error
import urllib.parse
import urllib.request

import processes
import service
import yaml
from ports import free_port
from waiting import wait_for

OBSERVE = service.REPOSITORY / "deploy/observe"


class Prometheus:
    """scraped: the Service, whose admin listener it asks. token: of that listener."""

    def __init__(self, scraped, token=""):
        self.directory = tempfile.TemporaryDirectory(prefix="ratelimitd-prometheus-")
        self.path = pathlib.Path(self.directory.name)
        self.port = free_port()
        (self.path / "token").write_text(token)
        (self.path / "prometheus.yml").write_text(yaml.dump(self._config(scraped)))
        self._stderr = open(self.path / "stderr", "w+b")
        command = ["prometheus", f"--config.file={self.path}/prometheus.yml", f"--storage.tsdb.path={self.path}/data",
                   f"--web.listen-address=127.0.0.1:{self.port}"]
        self.process = processes.start(command, self._stderr, service.environment(), self.path)
        wait_for(self._is_ready, "Prometheus is ready", within_s=60)

    def _config(self, scraped):
        """The file, with this service's address and a quicker pace."""
        config = yaml.safe_load((OBSERVE / "prometheus.yml").read_text())
        (job,) = config["scrape_configs"]
        del job["dns_sd_configs"]
        host, port = scraped.admin_address
        job["static_configs"] = [{"targets": [f"{host}:{port}"]}]
        job["authorization"]["credentials_file"] = str(self.path / "token")
        config["global"] = {"scrape_interval": "500ms", "scrape_timeout": "500ms", "evaluation_interval": "500ms"}
        config["rule_files"] = [str(OBSERVE / name) for name in config["rule_files"]]
        return config

    def _is_ready(self):
        assert self.process.poll() is None, "Prometheus did not start"
        try:
            return self._read("/-/ready") is not None
        except (urllib.error.URLError, ConnectionError):
            return False

    def _read(self, target):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{target}", timeout=20) as response:
            return response.read()

    def api(self, name, **arguments):
        """The data of an answer."""
        answer = json.loads(self._read(f"/api/v1/{name}?{urllib.parse.urlencode(arguments)}"))
        assert answer["status"] == "success"
        return answer["data"]

    def query(self, expression):
        """What it is now: a list of (labels, number)."""
        return [(sample["metric"], float(sample["value"][1])) for sample in
                self.api("query", query=expression)["result"]]

    def finish(self):
        processes.kill(self.process)
        self._stderr.close()
        self.directory.cleanup()
