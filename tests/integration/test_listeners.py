"""Where it listens: a port, a file, a socket that is handed over; and the command that asks how it is."""
import os
import signal
import socket
import stat

import pytest

from rules import NEVER, bucket, rules_of
from service import BINARY, run

HANDED_OVER = ["/bin/bash", "-c", 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$@" 3<&"$0"']  # $0 is the descriptor


def healthcheck(service, **env):
    return run("healthcheck", env=env, directory=service.path)


def test_a_port_that_is_taken_stops_the_start(serve, tmp_path):
    service = serve()
    (tmp_path / "rate_limits.json").write_text('{"default": {"capacity": 20, "refill_rate": 5}}')
    done = run("--store", "memory", "--listen", f"127.0.0.1:{service.port}", directory=tmp_path)
    assert done.returncode == 2
    assert f"--listen: port {service.port} of 127.0.0.1 is in use; choose another port" in done.stderr
    done = run("--store", "memory", env={"PORT": str(service.port)}, directory=tmp_path)
    assert f"ratelimitd: PORT: port {service.port} of 0.0.0.0 is in use" in done.stderr
    assert service.get("/").status == 200


def test_an_address_of_another_machine_stops_the_start(tmp_path):
    (tmp_path / "rate_limits.json").write_text('{"default": {"capacity": 20, "refill_rate": 5}}')
    done = run("--store", "memory", "--listen", "192.0.2.1:0", directory=tmp_path)
    assert (done.returncode, "--listen: cannot listen on 192.0.2.1" in done.stderr) == (2, True)
    done = run("--store", "memory", "--port", "0", env={"HOST": "no.such.host.invalid"}, directory=tmp_path)
    assert (done.returncode, 'HOST: "no.such.host.invalid": ' in done.stderr) == (2, True)


def test_a_port_that_was_just_left_can_be_taken_again(serve):
    first = serve()
    connection = first.connect()
    assert connection.get("/").status == 200
    assert first.stop() == 0
    second = serve(listen=f"127.0.0.1:{first.port}")
    assert second.get("/").status == 200


def test_host_and_port_are_settings_too(serve):
    service = serve(listen=None, env={"HOST": "127.0.0.1", "PORT": "0"})
    assert service.display.startswith("http://127.0.0.1:")
    assert service.get("/").status == 200
    service = serve(listen=None, env={"PORT": "0"})
    assert service.display.startswith("http://0.0.0.0:")
    assert service.get("/").status == 200


@pytest.mark.parametrize("workers", [1, 4])
def test_a_unix_socket_serves(serve, tmp_path, workers):
    path = tmp_path / "s"
    service = serve(rules=rules_of(bucket(3, NEVER)), listen=f"unix:{path}", workers=workers)
    assert [service.connect().get("/").status for _ in range(8)] == [200] * 3 + [429] * 5
    assert stat.S_ISSOCK(path.stat().st_mode)
    assert healthcheck(service, LISTEN=f"unix:{path}").returncode == 0
    assert service.stop() == 0
    assert not path.exists(), "removed at its end"
    assert healthcheck(service, LISTEN=f"unix:{path}").returncode == 1


@pytest.mark.parametrize("umask", [0o077, 0o007])
def test_who_may_use_a_unix_socket_is_the_umask_s_to_say(serve, tmp_path, umask):
    path = tmp_path / "s"
    serve(listen=f"unix:{path}", umask=umask)
    assert stat.S_IMODE(path.stat().st_mode) & umask == 0


def test_a_unix_socket_that_a_killed_process_left_is_taken_over(serve, tmp_path):
    path = tmp_path / "s"
    first = serve(listen=f"unix:{path}")
    first.signal(signal.SIGKILL)
    assert first.wait() == -signal.SIGKILL
    assert path.exists()
    assert serve(listen=f"unix:{path}").get("/").status == 200


def test_a_unix_socket_that_is_served_is_not_taken_over(serve, tmp_path):
    path = tmp_path / "s"
    service = serve(listen=f"unix:{path}")
    done = run("--store", "memory", "--listen", f"unix:{path}", directory=service.path)
    assert (done.returncode, "in use" in done.stderr) == (2, True)
    assert service.get("/").status == 200, "and is still there"


@pytest.mark.parametrize("make", [lambda path: path.write_text("precious"), lambda path: path.mkdir(),
                                  lambda path: path.symlink_to("/dev/null")], ids=["file", "directory", "link"])
def test_what_is_no_socket_is_not_touched(serve, tmp_path, make):
    path = tmp_path / "s"
    make(path)
    (tmp_path / "rate_limits.json").write_text('{"default": {"capacity": 20, "refill_rate": 5}}')
    done = run("--store", "memory", "--listen", f"unix:{path}", directory=tmp_path)
    assert done.returncode == 2
    assert os.path.lexists(path)


def test_a_directory_that_is_not_there_stops_the_start(tmp_path):
    (tmp_path / "rate_limits.json").write_text('{"default": {"capacity": 20, "refill_rate": 5}}')
    done = run("--store", "memory", "--listen", "unix:/no/such/directory/s", directory=tmp_path)
    assert (done.returncode, "No such file" in done.stderr) == (2, True)


@pytest.mark.parametrize("workers", [1, 3])
def test_a_socket_that_systemd_hands_over_is_served(serve, workers):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        wrapper = [*HANDED_OVER, str(listening.fileno())]
        service = serve(rules=rules_of(bucket(3, NEVER)), listen=None, wrapper=wrapper, pass_fds=[listening.fileno()],
                        env={"PORT": "1"}, workers=workers, admin="127.0.0.1:0")
        assert service.display == "the socket of systemd"
        assert service.admin("GET", "/health").status == 200, "this one it opens itself"
        service.address = listening.getsockname()
        assert [service.connect().get("/").status for _ in range(8)] == [200] * 3 + [429] * 5
        assert service.stop() == 0
        connection = socket.create_connection(listening.getsockname())  # it is systemd's, and outlives the service
        connection.close()


def test_a_descriptor_that_does_not_listen_stops_the_start(tmp_path):
    (tmp_path / "rate_limits.json").write_text('{"default": {"capacity": 20, "refill_rate": 5}}')
    done = run("--store", "memory", directory=tmp_path, prefix=[*HANDED_OVER, "0"])  # standard input
    assert (done.returncode, "LISTEN_FDS" in done.stderr) == (2, True)


def test_sockets_that_were_handed_to_another_process_are_not_ours(serve):
    service = serve(env={"LISTEN_PID": "1", "LISTEN_FDS": "1"})
    assert service.get("/").status == 200


def test_healthcheck_asks_the_service_that_the_settings_describe(serve):
    service = serve(listen=None, env={"PORT": "0"})
    done = healthcheck(service, PORT=str(service.port), REDIS_URI="memory")
    assert (done.returncode, done.stderr) == (0, ""), "a warning is the service's to give, once"
    assert healthcheck(service, LISTEN=f"127.0.0.1:{service.port}").returncode == 0
    assert healthcheck(service, HOST="127.0.0.2", PORT=str(service.port)).returncode == 0, "it listens on all"
    assert service.stop() == 0
    done = healthcheck(service, PORT=str(service.port))
    assert (done.returncode, "cannot connect" in done.stderr) == (1, True)


def test_healthcheck_is_content_while_redis_is_away(serve):
    service = serve("redis://127.0.0.1:1")
    assert healthcheck(service, PORT=str(service.port), HOST="127.0.0.1").returncode == 0


def test_healthcheck_does_not_take_another_server_for_ours(serve, start_fake_redis):
    fake = start_fake_redis(greeting=b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
    service = serve()
    assert healthcheck(service, PORT=str(fake.port), HOST="127.0.0.1").returncode == 1


def test_a_server_that_never_answers_is_not_healthy(serve):
    service = serve()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        done = healthcheck(service, PORT=str(silent.getsockname()[1]), HOST="127.0.0.1")
    assert (done.returncode, "within" in done.stderr) == (1, True)


def test_a_healthcheck_with_a_mistake_in_a_setting_is_an_operator_s_mistake(serve):
    assert healthcheck(serve(), PORT="x").returncode == 2


def test_few_descriptors_mean_fewer_connections_and_no_end(serve):
    wrapper = ["/bin/sh", "-c", 'ulimit -n 160; exec "$0" "$@"']
    service = serve(wrapper=wrapper, workers=1)
    service.says("MAX_CONNECTIONS is")
    connections = [service.connect() for _ in range(300)]
    for connection in connections[:250]:
        connection.close()
    assert service.get("/health").status == 200


def test_the_binary_is_the_one_that_is_tested():
    assert os.access(BINARY, os.X_OK), f"build it, or set RATELIMITD: {BINARY}"
