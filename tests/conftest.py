"""What all tests share: Hypothesis profiles, which rlsiron is under test, real data."""

import os
import sys
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings

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
    "fuzz", deadline=None, max_examples=20_000, suppress_health_check=[HealthCheck.too_slow]
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
