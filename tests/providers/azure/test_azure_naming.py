"""Names that every service of Azure takes, whatever the customer and the component are called."""

import re
from collections.abc import Mapping

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from alien_iac.models.config import DeploymentConfig
from alien_iac.models.names import is_id, is_prefix
from alien_iac.models.platform import Platform
from alien_iac_azure import naming

PLAIN = r"[a-z0-9]+(-[a-z0-9]+)*"
FORMS: Mapping[naming.Service, str] = {
    "account": r"[a-z0-9]{3,24}",
    "app": rf"(?=.{{2,32}}$)(?=[a-z]){PLAIN}",
    "container": rf"(?=.{{3,63}}$){PLAIN}",
    "environment": rf"(?=.{{2,60}}$)(?=[a-z]){PLAIN}",
    "function": rf"(?=.{{2,60}}$){PLAIN}",
    "job": rf"(?=.{{2,32}}$)(?=[a-z]){PLAIN}",
    "table": r"[a-z][a-z0-9]{2,62}",
    "vault": rf"(?=.{{3,24}}$)(?=[a-z]){PLAIN}",
}
WORDS = st.text("abz09-", min_size=1, max_size=40)


@given(WORDS.map(lambda text: f"a{text}"), WORDS, st.sampled_from(["", "host", "schedule-0"]))
@pytest.mark.parametrize("service", FORMS)
def test_a_name_is_one_that_the_service_takes(service: naming.Service, prefix: str, resource: str, part: str) -> None:
    assume(is_prefix(prefix) and is_id(resource))
    config = DeploymentConfig(platform=Platform.AZURE, prefix=prefix)
    assert re.fullmatch(FORMS[service], naming.name(config, service, resource, part))
    assert re.fullmatch(FORMS[service], naming.shared_name(config, service, "public"))


def test_a_part_never_meets_a_component() -> None:
    config = DeploymentConfig(platform=Platform.AZURE, prefix="acme-x1y2z3")
    for service in FORMS:
        assert naming.name(config, service, "worker", "host") != naming.name(config, service, "worker-host")


@given(WORDS.map(lambda text: f"a{text}"))
def test_the_registrys_name_is_letters_and_digits(prefix: str) -> None:
    assume(is_prefix(prefix))
    config = DeploymentConfig(platform=Platform.AZURE, prefix=prefix)
    assert re.fullmatch(r"[a-z0-9]{5,50}", naming.shared_name(config, "registry", "images"))
