"""rediss://: which certificates are accepted, what is sent to Redis, and that it recovers as over plain TCP."""
import socket
import ssl
import subprocess
import threading

import pytest

from crowd import Crowd
from ports import free_port
from rules import bucket, rules_of, window
from service import run
from waiting import wait_for

RULES = rules_of(window("fixed_window", 1000000))


class Authority:
    """Makes certificates, as files in a directory."""

    def __init__(self, directory, name="ca"):
        self.directory, self.name = directory, name
        self.file = self._path(name, "pem")
        self._openssl("req", "-x509", *self._key(name), "-out", self.file, "-subj", f"/CN={name}", "-days", "2")

    def _path(self, name, suffix):
        return str(self.directory / f"{name}.{suffix}")

    def _key(self, name):
        return ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", self._path(name, "key"))

    @staticmethod
    def _openssl(*words):
        subprocess.run(["openssl", *words], check=True, capture_output=True)

    @staticmethod
    def _ends(days):
        """Options for a certificate that expires in `days`: openssl 3.4 accepts no negative number, older ones no date."""
        if days > 0:
            return ["-days", str(days)]
        known = subprocess.run(["openssl", "x509", "-help"], capture_output=True, text=True).stderr
        return ["-not_before", "20200101000000Z", "-not_after", "20200102000000Z"] if "-not_after" in known \
            else ["-days", str(days)]

    def issue(self, name, alternative="DNS:localhost", days=2):
        """(certificate, key): alternative is its subjectAltName."""
        request, extensions, certificate = (self._path(name, suffix) for suffix in ("csr", "ext", "pem"))
        with open(extensions, "w") as file:
            file.write(f"subjectAltName={alternative}\n")
        self._openssl("req", *self._key(name), "-out", request, "-subj", f"/CN={name}")
        self._openssl("x509", "-req", "-in", request, "-CA", self.file, "-CAkey", self._path(self.name, "key"),
                      "-CAcreateserial", *self._ends(days), "-extfile", extensions, "-out", certificate)
        return certificate, self._path(name, "key")


@pytest.fixture(scope="module", autouse=True)
def tls_is_on(tmp_path_factory):
    directory = tmp_path_factory.mktemp("probe")
    (directory / "rate_limits.json").write_text('{"default": {"capacity": 20, "refill_rate": 5}}')
    check = run("--check", "--store", "rediss://localhost", directory=directory)
    if check.returncode != 0 and "this build does not have" in check.stderr:
        pytest.skip("this build has no TLS: its hiredis is older than 1.0")


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


@pytest.fixture
def start_tls(start_redis):
    """start_tls(authority, (certificate, key), **options of redis.conf): a Redis that speaks only TLS."""
    def start(authority, pair, **options):
        redis = start_redis(start=False)
        redis.options = {"port": 0, "tls-port": redis.port, "tls-cert-file": pair[0], "tls-key-file": pair[1],
                         "tls-ca-cert-file": authority.file, "tls-auth-clients": "no",
                         **{name.replace("_", "-"): value for name, value in options.items()}}
        redis.start()
        return redis
    return start


def url(redis, host="localhost"):
    return f"rediss://{host}:{redis.port}"


def is_used(service):
    wait_for(lambda: service.get("/").status == 200, "Redis is used")


def is_refused(service, reason):
    service.says("no connection to rediss://")
    assert service.get("/").status == 503
    assert reason in service.log(), "the log says why"


def test_a_valid_certificate_is_accepted(serve, authority, start_tls):
    redis = start_tls(authority, authority.issue("server"))
    service = serve(url(redis), RULES, env={"REDIS_TLS_CA_FILE": authority.file})
    is_used(service)
    assert "skip" not in service.log().lower()


def test_a_certificate_for_an_address_is_accepted(serve, authority, start_tls):
    redis = start_tls(authority, authority.issue("server", "IP:127.0.0.1"))
    is_used(serve(url(redis, "127.0.0.1"), RULES, env={"REDIS_TLS_CA_FILE": authority.file}))


@pytest.mark.parametrize("alternative, host", [("DNS:other.example", "localhost"), ("DNS:localhost", "127.0.0.1"),
                                               ("IP:127.0.0.2", "127.0.0.1"), ("DNS:*.localhost", "localhost"),
                                               ("DNS:127.0.0.1", "127.0.0.1")])
def test_a_certificate_of_another_host_is_rejected(serve, authority, start_tls, alternative, host):
    redis = start_tls(authority, authority.issue("server", alternative))
    service = serve(url(redis, host), RULES, env={"REDIS_TLS_CA_FILE": authority.file}, workers=1)
    is_refused(service, "IP address mismatch" if host == "127.0.0.1" else "hostname mismatch")


def test_an_expired_certificate_is_rejected(serve, authority, start_tls):
    redis = start_tls(authority, authority.issue("server", days=-1))
    service = serve(url(redis), RULES, env={"REDIS_TLS_CA_FILE": authority.file}, workers=1)
    is_refused(service, "certificate has expired")


@pytest.mark.parametrize("ca_file", ["another", "the system's"])
def test_a_certificate_of_an_unknown_authority_is_rejected(serve, authority, start_tls, tmp_path, ca_file):
    redis = start_tls(authority, authority.issue("server"))
    env = {"REDIS_TLS_CA_FILE": Authority(tmp_path, "another").file} if ca_file == "another" else {}
    service = serve(url(redis), RULES, env=env, workers=1)
    is_refused(service, "TLS certificate rejected: ")
    assert "issuer" in service.log() or "self-signed" in service.log()


def test_skip_verify_accepts_any_certificate_and_logs_a_warning(serve, authority, start_tls):
    redis = start_tls(authority, authority.issue("server", "DNS:other.example", days=-1))
    service = serve(url(redis), RULES, env={"REDIS_TLS_SKIP_VERIFY": "yes"})
    is_used(service)
    assert "REDIS_TLS_SKIP_VERIFY=yes" in service.log()


def test_a_client_certificate_is_sent_if_redis_requests_one(serve, authority, start_tls):
    redis = start_tls(authority, authority.issue("server"), tls_auth_clients="yes")
    certificate, key = authority.issue("client")
    env = {"REDIS_TLS_CA_FILE": authority.file, "REDIS_TLS_CERT_FILE": certificate, "REDIS_TLS_KEY_FILE": key}
    is_used(serve(url(redis), RULES, env=env))
    without = serve(url(redis), RULES, env={"REDIS_TLS_CA_FILE": authority.file}, workers=1)
    without.says("no connection to rediss://")
    assert without.get("/").status == 503


def test_a_certificate_and_its_key_may_share_a_file(serve, authority, start_tls, tmp_path):
    redis = start_tls(authority, authority.issue("server"), tls_auth_clients="yes")
    certificate, key = authority.issue("client")
    both = tmp_path / "both.pem"
    both.write_text(open(certificate).read() + open(key).read())
    is_used(serve(url(redis), RULES, env={"REDIS_TLS_CA_FILE": authority.file, "REDIS_TLS_CERT_FILE": str(both)}))


@pytest.mark.parametrize("setting", ["REDIS_TLS_CA_FILE", "REDIS_TLS_CERT_FILE", "REDIS_TLS_KEY_FILE"])
def test_an_invalid_file_stops_the_start(authority, tmp_path, setting):
    certificate, key = authority.issue("client")
    env = {"REDIS_TLS_CA_FILE": authority.file, "REDIS_TLS_CERT_FILE": certificate, "REDIS_TLS_KEY_FILE": key,
           setting: str(tmp_path / "rate_limits.json")}
    (tmp_path / "rate_limits.json").write_text('{"default": {"capacity": 20, "refill_rate": 5}}')
    check = run("--check", "--store", "rediss://localhost", env=env, directory=tmp_path)
    assert (check.returncode, setting in check.stderr) == (2, True), check.stderr


def test_a_password_works_over_tls(serve, authority, start_tls):
    redis = start_tls(authority, authority.issue("server"), requirepass="secret")
    is_used(serve(f"rediss://:secret@localhost:{redis.port}/0", RULES, env={"REDIS_TLS_CA_FILE": authority.file}))


def test_a_redis_without_tls_is_reported_in_time(serve, redis):
    service = serve(url(redis), RULES, workers=1)
    service.says("no connection to rediss://")
    assert service.get("/").status == 503


def test_no_password_is_sent_before_the_certificate_is_verified(serve, authority, start_tls):
    """The handshake with Redis begins after the verification."""
    redis = start_tls(authority, authority.issue("server", "DNS:other.example"), requirepass="right")
    redis.command("AUTH", "right")
    service = serve(f"rediss://:wrong@localhost:{redis.port}", RULES, env={"REDIS_TLS_CA_FILE": authority.file}, workers=1)
    is_refused(service, "hostname mismatch")
    errors = redis.command("INFO", "errorstats")
    assert "WRONGPASS" not in errors and "WRONGPASS" not in service.log()


class TlsServer:
    """Completes the TLS handshake only, and notes its parameters."""

    def __init__(self, pair, **limits):
        self.names, self.versions = [], []
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(*pair)
        self.context.sni_callback = lambda _, name, __: self.names.append(name)
        for name, value in limits.items():
            setattr(self.context, name, value)
        self.port = free_port()
        self.listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
                with self.context.wrap_socket(connection, server_side=True) as tls:
                    self.versions.append(tls.version())
            except ssl.SSLError:
                self.versions.append(None)
            except OSError:
                if self.listener.fileno() < 0:
                    return

    def finish(self):
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()


@pytest.fixture
def start_handshakes():
    started = []

    def start(*arguments, **limits):
        started.append(TlsServer(*arguments, **limits))
        return started[-1]
    yield start
    for server in started:
        server.finish()


@pytest.mark.parametrize("host, name", [("localhost", "localhost"), ("127.0.0.1", None)])
def test_sni_names_the_host(serve, authority, start_handshakes, host, name):
    server = start_handshakes(authority.issue("server"))
    serve(f"rediss://{host}:{server.port}", RULES, env={"REDIS_TLS_CA_FILE": authority.file}, workers=1)
    wait_for(lambda: server.names, "a handshake")
    assert set(server.names) == {name}


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_tls_below_1_2_is_rejected(serve, authority, start_handshakes):
    server = start_handshakes(authority.issue("server"), minimum_version=ssl.TLSVersion.TLSv1,
                              maximum_version=ssl.TLSVersion.TLSv1_1)
    service = serve(f"rediss://localhost:{server.port}", RULES, env={"REDIS_TLS_CA_FILE": authority.file}, workers=1)
    service.says("no connection to rediss://")
    wait_for(lambda: server.versions, "a handshake")
    assert set(server.versions) == {None}


def test_losses_are_recovered_from_over_tls(serve, authority, start_tls):
    redis = start_tls(authority, authority.issue("server"))
    service = serve(url(redis), RULES, env={"REDIS_TLS_CA_FILE": authority.file, "REDIS_TIMEOUT_MS": "300"})
    with Crowd(service, 16) as crowd:
        for begin, end in ((redis.freeze, redis.thaw), (redis.kill, redis.start),
                           (lambda: redis.command("CLIENT", "KILL", "TYPE", "normal"), lambda: None)):
            crowd.hears(lambda answer: answer.status == 200, 16)
            begin()
            crowd.hears(lambda answer: answer.status in (200, 503), 32)
            end()
            crowd.hears(lambda answer: answer.status == 200, 16, within_s=5)
    assert crowd.longest_wait_s() < 0.3 + 1.5


def test_large_batches_work_over_tls(serve, authority, start_tls):
    """More than one TLS record, written in pieces."""
    redis = start_tls(authority, authority.issue("server"))
    rules = rules_of({"limits": [bucket(100 + i) for i in range(8)], "identify_by": ["header:user_id"]})
    service = serve(url(redis), rules, workers=1, env={"REDIS_TLS_CA_FILE": authority.file, "REDIS_TIMEOUT_MS": "20000"})
    connections = [service.connect() for _ in range(300)]
    assert connections[0].get("/", {"user_id": "u"}).status == 200
    redis.freeze()
    for i, connection in enumerate(connections):
        connection.send(f"GET / HTTP/1.1\r\nHost: test\r\nuser_id: {'x' * 100}{i}\r\n\r\n".encode())
    assert service.get("/health").status == 200
    redis.thaw()
    assert [connection.read_response().status for connection in connections] == [200] * 300
