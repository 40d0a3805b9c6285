"""docs/openapi.yaml held against the service by schemathesis, which makes requests from it, valid ones and broken ones.

`scripts/setup schemathesis` installs it. What it says of a request is reproduced by the curl command that it prints."""
import os
import shutil
import subprocess

import pytest

from rules import rules_of
from service import REPOSITORY

SCHEMATHESIS = shutil.which("schemathesis", path=f"{REPOSITORY}/build/schemathesis/bin{os.pathsep}{os.environ['PATH']}")
TOKEN = "the-token-of-the-operator"

# Nobody is refused, and nobody has to be named: what is valid is told by the description alone.
GENEROUS = {"capacity": 1_000_000_000, "refill_rate": 1_000_000_000, "identify_by": ["global"]}
SEVERAL = {"limits": [{"capacity": 1_000_000_000, "refill_rate": 1_000_000_000},
                      {"algorithm": "fixed_window", "limit": 1_000_000_000, "window": "1h"}], "identify_by": ["global"]}


@pytest.mark.skipif(SCHEMATHESIS is None, reason="no schemathesis; scripts/setup schemathesis installs it")
@pytest.mark.parametrize("rules", [rules_of(GENEROUS, **{"api-resource": SEVERAL}), {"api-resource": SEVERAL}],
                         ids=["a default", "no default"])
@pytest.mark.parametrize("selected", [
    ("--exclude-tag", "admin"),
    ("--include-tag", "admin", "--warnings", "off")], ids=["public", "admin"])  # it warns that most clients are unknown
def test_schemathesis_finds_nothing(serve, tmp_path, rules, selected):
    service = serve(rules=rules, env={"API_TOKEN": "the-token-of-the-shop", "ADMIN_TOKEN": TOKEN}, workers=1,
                    admin="127.0.0.1:0")
    port = service.admin_address[1] if "--include-tag" in selected else service.port
    run = subprocess.run(
        [SCHEMATHESIS, "--config-file", REPOSITORY / "tests/integration/schemathesis.toml", "--no-color",
         "run", f"{service.display}/openapi.yaml", "--url", f"http://127.0.0.1:{port}", *selected,
         "--header", f"Authorization: Bearer {TOKEN}", "--max-examples", "20", "--seed", "1",
         "--generation-database", "none", "--suppress-health-check", "all"],
        cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "No issues found" in run.stdout, run.stdout
