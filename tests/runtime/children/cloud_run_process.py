"""A Function on Cloud Run as its image starts it, but for Google's keys, which are in a file here."""

import json
import sys
from pathlib import Path

from alien_iac.runtime import settings
from alien_iac.runtime.entry import as_process
from alien_iac.runtime.gcp import process

folder, keys = Path(sys.argv[1]), Path(sys.argv[2])


async def run() -> None:
    await process.run(folder, settings.read(), fetch=lambda: json.loads(keys.read_text()))


sys.exit(as_process(run))
