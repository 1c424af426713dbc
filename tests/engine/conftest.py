from pathlib import Path

import pytest
from engine.files_workspace import Files


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files.below(tmp_path)
