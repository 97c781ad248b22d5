"""Real servers for the tests of this folder, thrown away afterwards, and what they hold."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

DEBIAN = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
PATIENCE = 300


def purchase_log(customers: int, seed: int = 1) -> pd.DataFrame:
    """Orders with times of day, equal moments, zero amounts, returns; cents, so that sums agree."""
    rng = np.random.default_rng(seed)
    who = rng.integers(0, customers, 12 * customers)
    start = (rng.beta(1, 2, customers) * 500 * 86400)[who]
    age = rng.exponential(90 * 86400, who.size)
    seconds = np.floor(start + age).astype(int)
    seconds[::7] -= seconds[::7] % 86400  # midnight belongs to the day it begins
    cents = rng.integers(0, 20_000, who.size)
    cents[rng.random(who.size) < 0.02] = 0
    names = np.array([f"Kündin {i}" if i % 3 else f"c{i}" for i in range(customers)])
    log = pd.DataFrame(
        {
            "customer_id": names[who],
            "ordered_at": pd.Timestamp("1969-11-03 00:00:00")
            + pd.to_timedelta(seconds, unit="s").as_unit("us"),
            "amount": cents / 100,
        }
    )
    back = log.sample(frac=0.05, random_state=seed)
    later = pd.to_timedelta(rng.integers(0, 40 * 86400, len(back)), unit="s").as_unit("us")
    again = back["ordered_at"] + np.where(rng.random(len(back)) < 0.3, later * 0, later)
    share = rng.choice([1.0, 0.5, 2.0], len(back), p=[0.6, 0.3, 0.1])
    returns = back.assign(ordered_at=again, amount=-(back["amount"] * share).round(2))
    return pd.concat([log, returns[returns["amount"] < 0]], ignore_index=True)


@pytest.fixture(scope="session")
def log():
    return purchase_log(250)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_port(port: int, process, output: Path) -> None:
    for _ in range(PATIENCE * 5):
        if process.poll() is not None:
            break
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    raise RuntimeError(f"the server did not start:\n{output.read_text()[-3000:]}")


@pytest.fixture(scope="session")
def postgres():
    """A connection to a PostgreSQL cluster of its own, on a socket in a temporary folder."""
    program = shutil.which("initdb") or next((str(b / "initdb") for b in DEBIAN[::-1]), None)
    if program is None:
        pytest.skip("PostgreSQL is not installed here (Debian: apt-get install postgresql)")
    import psycopg

    bin = Path(program).resolve().parent
    home = Path(tempfile.mkdtemp(prefix="cxlib_pg_"))
    # PostgreSQL refuses to run as root.
    as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if as_user:
        shutil.chown(home, "postgres")
    data, log_file = home / "data", home / "log"

    def run(*words):
        done = subprocess.run(
            [*as_user, *map(str, words)], capture_output=True, text=True, cwd=home, check=False
        )
        if done.returncode:
            logged = log_file.read_text() if log_file.exists() else ""
            raise RuntimeError(f"{done.stdout}{done.stderr}{logged}")

    run(bin / "initdb", "-D", data, "-U", "tester", "-A", "trust", "-E", "UTF8", "--no-sync")
    options = f"-k {home} -c listen_addresses='' -c fsync=off"
    run(bin / "pg_ctl", "-D", data, "-l", log_file, "-o", options, "-w", "start")
    try:
        with psycopg.connect(host=str(home), user="tester", dbname="postgres") as connection:
            yield connection
    finally:
        run(bin / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
        shutil.rmtree(home)


@pytest.fixture(scope="session")
def spark(tmp_path_factory):
    """A session of a Spark Connect server of its own, on a port of this machine."""
    if shutil.which("java") is None:
        pytest.skip("Java is not installed here (Debian: apt-get install openjdk-17-jre-headless)")
    pyspark = pytest.importorskip("pyspark", reason="pyspark is not installed in this environment")
    from pyspark.sql import SparkSession

    server = Path(pyspark.__file__).parent / "sbin" / "start-connect-server.sh"
    if not server.exists():
        pytest.skip("this environment holds Spark's client without its server: see make test-scale")
    home, port = tmp_path_factory.mktemp("spark"), free_port()
    settings = {
        "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.connect.grpc.binding.port": port,
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.sql.shuffle.partitions": 1,
        "spark.sql.warehouse.dir": home / "warehouse",
        "spark.local.dir": home / "local",
    }
    words = [word for name, value in settings.items() for word in ("--conf", f"{name}={value}")]
    environment = os.environ | {
        "SPARK_NO_DAEMONIZE": "1",
        "SPARK_LOG_DIR": str(home / "logs"),
        "SPARK_PID_DIR": str(home),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "PYSPARK_PYTHON": sys.executable,
    }
    environment.pop("SPARK_HOME", None)
    output = home / "output"
    with output.open("w") as sink:
        process = subprocess.Popen(
            [str(server), "--master", "local[2]", *words],
            stdout=sink,
            stderr=subprocess.STDOUT,
            cwd=home,
            env=environment,
            start_new_session=True,
        )
    try:
        wait_for_port(port, process, output)
        session = SparkSession.builder.remote(f"sc://127.0.0.1:{port}").create()
        yield session
        session.stop()
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(30)
