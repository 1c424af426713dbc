from pathlib import Path

import pytest
from review.review_project import FULL, Reviewed


@pytest.fixture
def project(tmp_path: Path) -> Reviewed:
    """The full app."""
    return Reviewed.below(tmp_path, FULL)
