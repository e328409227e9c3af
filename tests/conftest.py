"""What all tests share: Hypothesis profiles, which rlsiron is under test, real data."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from shutil import chown, rmtree, which
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

settings.register_profile("ci", deadline=None, derandomize=True)
settings.register_profile(
    "mutation",
    deadline=None,
    derandomize=True,
    max_examples=50,
    phases=[Phase.explicit, Phase.generate],  # that it fails is enough; to shrink takes minutes
)
settings.register_profile("random", deadline=None, max_examples=1_000)
settings.register_profile(
    "fuzz",
    deadline=None,
    max_examples=int(os.environ.get("RLSIRON_FUZZ_EXAMPLES", "2000")),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile(os.environ.get("RLSIRON_HYPOTHESIS_PROFILE", "ci"))


def pytest_sessionstart() -> None:
    """Refuse another copy of the library than was asked for; forget what was made before."""
    expected = os.environ.get("RLSIRON_EXPECT_INSTALLED")
    for package in ("rlsiron", "rlsiron.data"):
        found = Path(str(files(package))).resolve()
        if expected and not found.is_relative_to(Path(expected).resolve()):
            raise pytest.UsageError(f"{package} is in {found}, not in {expected}")
    if "MUTANT_UNDER_TEST" in os.environ:
        _forget()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the tests of a mutant's own module first, of these the properties last."""
    module = os.environ.get("MUTANT_UNDER_TEST", "").removeprefix("rlsiron.").partition(".")[0]
    if module:
        own = f"test_{'guideline' if module == 'grammar' else module}.py"
        items.sort(
            key=lambda item: (
                item.path.name != own,
                any(item.iter_markers("slow")) or any(item.iter_markers("hypothesis")),
                item.location[:2],
            )
        )


def pytest_runtest_setup() -> None:
    """Count a test for every function that it needs, not for those alone that no other called."""
    if os.environ.get("MUTANT_UNDER_TEST") == "stats":
        _forget()


def _forget() -> None:
    """Empty every cache of the library: what was made without a mutant would hide it."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == "rlsiron":
            for value in list(vars(module).values()):
                clear = getattr(value, "cache_clear", None)
                if callable(clear):
                    clear()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real data, which is no part of the project."""
    given = os.environ.get("RLSIRON_SHARED_DATA")
    if given:
        return Path(given).resolve(strict=True)
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("no ../shared/data beside the checkout, and RLSIRON_SHARED_DATA is not set")
    return folder


@pytest.fixture(scope="session")
def spark() -> "Iterator[SparkSession]":
    """Give a session of Spark on two cores of this machine; only who asks for it starts Java."""
    if not (which("java") or os.environ.get("JAVA_HOME")):
        pytest.skip("no Java, on which Spark runs")
    from pyspark.sql import SparkSession

    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PYSPARK_PYTHON", sys.executable)  # the workers' Python
        environment.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        config: dict[str, Any] = {
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.driver.host": "127.0.0.1",
            "spark.log.level": "OFF",
            "spark.sql.execution.arrow.pyspark.enabled": "true",
            "spark.sql.shuffle.partitions": "2",
            "spark.ui.enabled": "false",
            "spark.ui.showConsoleProgress": "false",
        }
        session = SparkSession.builder.master("local[2]").config(map=config).getOrCreate()
        yield session
        session.stop()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Callable[[str], str]]:
    """Return what runs a script in a PostgreSQL server of its own, its output as CSV."""
    tools = {name: which(name) for name in ("initdb", "pg_ctl", "psql")}
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    for name, found in tools.items():
        there = (which(name, path=str(folder)) for folder in folders)
        tools[name] = found or next(filter(None, there), None)
    missing = [name for name, found in tools.items() if found is None]
    if missing:
        pytest.skip(f"no PostgreSQL server here: {', '.join(missing)} not found")
    as_user: list[str] = []
    folder = Path(mkdtemp(prefix="rlsiron-"))  # a short path: that of a socket may not be long
    if os.geteuid() == 0:  # the server refuses to run as root
        if which("runuser") is None:
            pytest.skip("PostgreSQL does not run as root, and there is no runuser")
        as_user = ["runuser", "-u", "postgres", "--"]
        chown(folder, "postgres")
    data = folder / "data"
    options = f"-k {folder} -c listen_addresses='' -c fsync=off"

    def tool(name: str, *arguments: str, script: str = "") -> str:
        call = [*as_user, str(tools[name]), *arguments]
        done = subprocess.run(
            call, capture_output=True, check=False, encoding="utf-8", cwd=folder, input=script
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def run(script: str) -> str:
        asked = ("-h", str(folder), "-d", "postgres", "-X", "-q", "--csv", "-v", "ON_ERROR_STOP=1")
        return tool("psql", *asked, script=script)

    tool("initdb", "-D", str(data), "-A", "trust", "-E", "UTF8", "--locale=C")
    tool("pg_ctl", "-D", str(data), "-o", options, "-w", "-l", str(folder / "log"), "start")
    try:
        yield run
    finally:
        tool("pg_ctl", "-D", str(data), "-m", "immediate", "stop")
        rmtree(folder)
