from pathlib import Path

import pytest
from engine.files_workspace import Files

from alien_iac.engine.secrets import Keyring


@pytest.fixture(scope="session")
def keyring() -> Keyring:
    return Keyring()


@pytest.fixture
def files(tmp_path: Path, keyring: Keyring) -> Files:
    return Files.below(tmp_path, keyring)
