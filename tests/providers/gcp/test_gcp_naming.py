"""Names that every service of Google Cloud takes, whatever the customer and the component are called."""

import re
from collections.abc import Mapping

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from alien_iac.models.config import DeploymentConfig
from alien_iac.models.names import is_id, is_prefix
from alien_iac.models.platform import Platform
from alien_iac_gcp import naming

LABEL = r"[a-z]([a-z0-9-]*[a-z0-9])?"
FORMS: Mapping[naming.Service, str] = {
    "account": rf"(?=.{{6,30}}$){LABEL}",
    "bucket": rf"(?=.{{3,63}}$){LABEL}",
    "compute": rf"(?=.{{1,63}}$){LABEL}",
    "database": rf"(?=.{{4,63}}$){LABEL}",
    "machine": rf"(?=.{{1,58}}$){LABEL}",
    "repository": rf"(?=.{{1,63}}$){LABEL}",
    "run": rf"(?=.{{1,49}}$){LABEL}",
    "secret": rf"(?=.{{1,255}}$){LABEL}",
    "tag": rf"(?=.{{1,63}}$){LABEL}",
    "template": rf"(?=.{{1,36}}$){LABEL}",
    "topic": rf"(?=.{{3,255}}$){LABEL}",
    "zone": rf"(?=.{{1,63}}$){LABEL}",
}
WORDS = st.text("abz09-", min_size=1, max_size=40)


@settings(max_examples=40)
@given(WORDS.map(lambda text: f"a{text}"), WORDS, st.sampled_from(["", "triggers", "schedule-0"]))
@pytest.mark.parametrize("service", FORMS)
def test_a_name_is_one_that_the_service_takes(service: naming.Service, prefix: str, resource: str, part: str) -> None:
    assume(is_prefix(prefix) and is_id(resource))
    config = DeploymentConfig(platform=Platform.GCP, prefix=prefix)
    assert re.fullmatch(FORMS[service], naming.name(config, service, resource, part))
    assert re.fullmatch(FORMS[service], naming.shared_name(config, service, "network"))


def test_the_shortest_names_are_long_enough_for_an_account_and_meet_no_other() -> None:
    config = DeploymentConfig(platform=Platform.GCP, prefix="abc")
    assert naming.name(config, "account", "x") == "abc-x--own"
    assert naming.name(config, "account", "x", "triggers") == "abc-x--triggers"
    assert naming.name(config, "account", "xy") == "abc-xy"
