"""Pages from templates: every value escaped, every time relative with the instant beside it, nothing inline."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from alien_iac.control.dashboard import words

HERE = Path(__file__).parent
BASE = "/dashboard"
HEADERS: Mapping[str, str] = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "referrer-policy": "same-origin",  # with none at all a browser would not say where a form came from
    "x-frame-options": "DENY",
    "vary": "cookie",
}


class Pages:
    """The templates, compiled once."""

    def __init__(self) -> None:
        self._templates = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._templates.filters.update(
            tone=words.tone,
            number=words.number,
            milliseconds=words.milliseconds,
            severity=words.severity,
            pretty=pretty,
            instant=instant,
            sentence=sentence,
        )
        self._templates.globals.update(base=BASE, ago=words.ago, asset=_assets(), link=link)

    def show(self, template: str, values: Mapping[str, Any], status: int = 200) -> HTMLResponse:
        """A page."""
        text = self._templates.get_template(template).render(values)
        return HTMLResponse(text, status_code=status, headers=dict(HEADERS))


def _assets() -> dict[str, str]:
    """Each static file's address, which changes with its content."""
    files = {path.name: path.read_bytes() for path in (HERE / "static").iterdir()}
    return {name: f"{BASE}/static/{name}?{hashlib.sha256(content).hexdigest()[:8]}" for name, content in files.items()}


def link(path: str, **query: Any) -> str:
    """An address below the dashboard, with what of the query is not empty."""
    told = {name: value for name, value in query.items() if value not in {None, ""}}
    return f"{BASE}{path}" + (f"?{urlencode(told)}" if told else "")


def pretty(value: object) -> str:
    """Data as indented JSON."""
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


def sentence(text: str) -> Markup:
    """One of our messages as a sentence, with what stands in backticks as code."""
    parts = (text[:1].upper() + text[1:]).split("`")
    if len(parts) % 2 == 0:
        return Markup.escape("`".join(parts))
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if number % 2 else Markup.escape(part)
        for number, part in enumerate(parts)
    )


def instant(at: datetime) -> str:
    """An instant in full."""
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
