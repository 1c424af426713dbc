"""What the customer's security team asks of the resources on Azure."""

import json
import uuid
from collections.abc import Mapping
from inspect import signature
from pathlib import Path
from typing import Any

import pytest
from contract.programs import everything
from golden.golden_cases import CASES
from providers.azure.azure_stacks import IMAGE, KEY, made, of

import alien_iac as alien
from alien_iac.models.arguments import FunctionArguments
from alien_iac.models.declared import Declared
from alien_iac.models.platform import Platform
from alien_iac.models.purpose import purpose
from alien_iac.models.triggers import QueueTrigger
from alien_iac.packaging.targets import Target
from alien_iac.protocol.code import APP
from alien_iac_azure.offline import TYPES
from providers import sdk_types

TENANT = "00000000-0000-0000-0000-000000000002"


@pytest.mark.parametrize("config", [{}, {"encryptionKey": KEY}, {"resourceGroup": "theirs"}])
def test_nothing_is_reached_by_a_key_or_without_tls(config: dict[str, str], tmp_path: Path) -> None:
    recording = made(everything, tmp_path, **config)
    accounts = of(recording, "storage:StorageAccount")
    assert {a.inputs["allowSharedKeyAccess"] for a in accounts} == {False}
    assert {a.inputs["minimumTlsVersion"] for a in accounts} == {"TLS1_2"}
    plain = [a.inputs["kind"] for a in accounts if not a.inputs["enableHttpsTrafficOnly"]]
    assert plain == ["FileStorage"]
    (bus,) = of(recording, "servicebus:Namespace")
    assert bus.inputs["disableLocalAuth"]
    assert bus.inputs["minimumTlsVersion"] == "1.2"
    assert "connectionstring" not in str([r.inputs for r in recording.resources]).lower().replace(" ", "")
    (logs,) = of(recording, "operationalinsights:Workspace")
    assert logs.inputs["features"]["disableLocalAuth"]
    for policy in ("web:WebAppFtpAllowed", "web:WebAppScmAllowed"):
        assert [p.inputs["allow"] for p in of(recording, policy)] == [False]


def test_every_grant_is_of_a_role_at_a_resource_and_by_a_name_that_stays(tmp_path: Path) -> None:
    first, second = (of(made(everything, tmp_path), "authorization:RoleAssignment") for _ in range(2))
    assert len(first) > 8
    for grant in first:
        assert grant.inputs["principalType"] == "ServicePrincipal"
        assert len(grant.inputs["scope"].split("/")) > 8, "a resource, and not its group"
        uuid.UUID(grant.inputs["roleAssignmentName"])
    names = [grant.inputs["roleAssignmentName"] for grant in first]
    assert len(set(names)) == len(names)
    assert names == [grant.inputs["roleAssignmentName"] for grant in second]


def test_data_lets_in_the_subnets_of_those_that_are_linked_to_it(tmp_path: Path) -> None:
    def program() -> None:
        files, sessions, crm = alien.Storage("files"), alien.Kv("sessions"), alien.Secret("crm")
        alien.Function("worker", source="./worker", link=[files, crm])
        alien.Container("api", source="./api", link=[files])
        alien.Container("other", source="./api", link=[sessions.reader()], network="customer")

    recording = made(program, tmp_path)

    def admitted(name: str) -> list[str]:
        rules = recording.one("azure-native:storage:StorageAccount", name).inputs["networkRuleSet"]
        assert rules["defaultAction"] == "Deny"
        return ["/".join(r["virtualNetworkResourceId"].split("/")[-3:]) for r in rules["virtualNetworkRules"]]

    own = "acme-x1y2z3--network/subnets"
    assert admitted("files") == [f"{own}/functions", f"{own}/internal"]
    assert admitted("sessions") == ["acme/subnets/internal"]
    acls = recording.one("azure-native:keyvault:Vault", "crm").inputs["properties"]["networkAcls"]
    assert acls["defaultAction"] == "Deny"
    assert [r["id"].split("/")[-1] for r in acls["virtualNetworkRules"]] == ["functions"]


@pytest.mark.parametrize(
    ("timeout", "lock"), [("10s", "PT1M"), ("1m", "PT2M"), ("100s", "PT3M20S"), ("3m", "PT5M"), ("1h", "PT5M")]
)
def test_a_message_is_locked_for_the_slowest_consumer(timeout: str, lock: str, tmp_path: Path) -> None:
    def program() -> None:
        jobs = alien.Queue("jobs", max_receives=7, retention="36h")
        alien.Function("worker", source="./worker", timeout=timeout, triggers=[jobs.on_message()])

    recording = made(program, tmp_path)
    inputs = recording.one("azure-native:servicebus:Queue", "jobs").inputs
    assert inputs["lockDuration"] == lock
    assert inputs["maxDeliveryCount"] == 7
    assert inputs["defaultMessageTimeToLive"] == "P1DT12H"
    assert inputs["deadLetteringOnMessageExpiration"]
    settings = _settings(recording.one("azure-native:web:WebApp", "worker").inputs)
    renewed = settings["AzureFunctionsJobHost__extensions__serviceBus__maxAutoLockRenewalDuration"]
    assert renewed == settings["AzureFunctionsJobHost__functionTimeout"]


def test_a_function_lets_in_its_callers_and_the_agent_and_nobody_else(tmp_path: Path) -> None:
    def program() -> None:
        helper = alien.Function("helper", source="./worker", commands=True)
        alien.Container("api", source="./api", port=8080, public=True, link=[helper])
        alien.Function("alone", source="./worker")

    recording = made(program, tmp_path)
    (auth,) = of(recording, "web:WebAppAuthSettingsV2")
    validation = auth.inputs["identityProviders"]["azureActiveDirectory"]["validation"]
    caller = _settings_of_app(recording.one("azure-native:app:ContainerApp", "api").inputs)["AZURE_CLIENT_ID"]
    allowed = validation["defaultAuthorizationPolicy"]["allowedApplications"]
    assert allowed == [caller, "00000000-0000-0000-0000-000000000003"]
    assert auth.inputs["globalValidation"]["requireAuthentication"]
    door = recording.one("azure-native:web:WebApp", "helper").inputs["siteConfig"]
    assert [r["vnetSubnetResourceId"].split("/")[-1] for r in door["ipSecurityRestrictions"]] == ["public", "internal"]
    closed = recording.one("azure-native:web:WebApp", "alone").inputs["siteConfig"]
    assert closed["ipSecurityRestrictionsDefaultAction"] == "Deny"
    assert not closed["ipSecurityRestrictions"]


def test_a_function_from_an_image_that_nobody_calls_has_no_door(tmp_path: Path) -> None:
    jobs: list[alien.Queue] = []

    def program() -> None:
        jobs.append(alien.Queue("jobs"))
        alien.Function("worker", image=IMAGE, triggers=[jobs[0].on_message(), alien.schedule("0 3 * * 1")])

    recording = made(program, tmp_path)
    app = recording.one("azure-native:app:ContainerApp", "worker").inputs
    assert "ingress" not in app["configuration"]
    (rule,) = app["template"]["scale"]["rules"]
    assert rule["custom"]["type"] == "azure-servicebus"
    assert rule["custom"]["identity"].endswith("/acme-x1y2z3-worker")
    (job,) = of(recording, "app:Job")
    assert job.inputs["configuration"]["scheduleTriggerConfig"]["cronExpression"] == "0 3 * * 1"


def test_a_generated_secret_is_in_nobodys_hands(tmp_path: Path) -> None:
    recording = made(lambda: alien.Secret("crm", provided_by="generated"), tmp_path)
    (deployment,) = of(recording, "resources:Deployment")
    template = deployment.inputs["properties"]["template"]
    assert {p["type"] for name, p in template["parameters"].items() if name != "vault"} == {"securestring"}
    assert "outputs" not in template
    assert set(deployment.inputs["properties"]["parameters"]) == {"vault"}
    assert deployment.ignore_changes == ("properties",), "run again, there would be another value"
    (vault,) = of(recording, "keyvault:Vault")
    properties = vault.inputs["properties"]
    assert properties["enablePurgeProtection"]
    assert properties["enableRbacAuthorization"]
    assert properties["tenantId"] == TENANT


def test_the_customers_key_seals_every_account(tmp_path: Path) -> None:
    recording = made(everything, tmp_path, encryptionKey=KEY)
    accounts = of(recording, "storage:StorageAccount")
    assert {a.inputs["encryption"]["keySource"] for a in accounts} == {"Microsoft.Keyvault"}
    (grant,) = (g for g in of(recording, "authorization:RoleAssignment") if g.name == "encryption-key")
    assert grant.inputs["scope"] == KEY
    assert all(grant.urn in account.depends_on for account in accounts)


def test_an_account_for_files_says_nothing_of_tables_and_queues(tmp_path: Path) -> None:
    accounts = of(made(everything, tmp_path), "storage:StorageAccount")
    sealed = {a.inputs["kind"]: set(a.inputs["encryption"]["services"]) for a in accounts}
    assert sealed == {"FileStorage": {"blob", "file"}, "StorageV2": {"blob", "file", "table", "queue"}}


def test_everything_that_takes_tags_says_whose_it_is(tmp_path: Path) -> None:
    recording = made(everything, tmp_path, labels='{"tier": "gold"}')
    whose = {"deployment": "acme-x1y2z3", "managed-by": "alien-iac", "tier": "gold"}
    native = [r for r in recording.resources if r.type.startswith("azure-native:")]
    tagged = [r for r in native if "tags" in signature(sdk_types.arguments(r.type)).parameters]
    assert len(tagged) > 20
    # The template of a generated value runs anew when anything of it changes, so that a label would make another value.
    still = [r for r in native if r.type == "azure-native:resources:Deployment"]
    assert not any("tags" in r.inputs for r in still)
    assert [r.name for r in tagged if r not in still and not whose.items() <= r.inputs.get("tags", {}).items()] == []


def test_in_the_customers_group_no_other_group_is_touched(tmp_path: Path) -> None:
    recording = made(everything, tmp_path, resourceGroup="theirs")
    assert not of(recording, "resources:ResourceGroup")
    assert not of(recording, "network:FlowLog")
    assert {r.inputs["resourceGroupName"] for r in recording.resources if "resourceGroupName" in r.inputs} == {"theirs"}


@pytest.mark.parametrize("case", CASES)
def test_every_type_is_in_the_table(case: str, tmp_path: Path) -> None:
    recording = made(CASES[case], tmp_path, domain="acme.example.com")
    assert {r.type for r in recording.resources if r.type.startswith("azure-native:")} <= TYPES


def _settings(inputs: Mapping[str, Any]) -> dict[str, str]:
    site = json.loads(json.dumps(inputs["siteConfig"]))
    return {setting["name"]: setting["value"] for setting in site["appSettings"]}


def _settings_of_app(inputs: Mapping[str, Any]) -> dict[str, str]:
    template = json.loads(json.dumps(inputs["template"]))
    return {setting["name"]: setting["value"] for setting in template["containers"][0]["env"]}


def test_a_source_with_a_domain_is_packaged_for_the_container_that_runs_it(tmp_path: Path) -> None:
    """No host looks for its requirements there: they lie where packaging puts them, and the image is told where."""

    def program() -> None:
        jobs = alien.Queue("jobs")
        alien.Function("api", source="worker", public=True, domain="api", triggers=[jobs.on_message()])

    recording = made(program, tmp_path, domain="acme.example.com")
    (app,) = of(recording, "app:ContainerApp")
    target = Target.of(purpose(Platform.AZURE, function(), ()))
    assert _settings_of_app(app.inputs)["PYTHONPATH"] == f"{APP}/{target.folder}"
    assert app.inputs["template"]["containers"][0]["command"] == ["python", "-m", "alien_iac.runtime.function", APP]
    names = {need.partition(">")[0] for need in target.requirements}
    assert names >= {"uvicorn", "starlette", "azure-servicebus", "azure-identity"}


def function() -> Declared:
    """As it is declared."""
    arguments = FunctionArguments(source="worker", domain="api", public=True, triggers=(QueueTrigger(resource="jobs"),))
    return Declared(kind="Function", id="api", arguments=arguments)
