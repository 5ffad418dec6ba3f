import pytest

from salon.common.paths import PACKAGE
from salon.locale.compile import compile_catalogues


@pytest.fixture(scope="session")
def french() -> None:
    """Compiled translations; the build makes them, a bare checkout has none."""
    compile_catalogues(PACKAGE / "locale")
