import pytest
from docs.doc_pages import ROOT
from docs.generated_pages import PAGES


@pytest.mark.parametrize("page", PAGES)
def test_a_page_that_is_written_from_the_code_is_current(page: str, rewrite: bool) -> None:  # noqa: FBT001 - a fixture
    path, text = ROOT / "docs" / page, PAGES[page]()
    if rewrite:
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text, "run `make golden`, and read the difference"
