"""Fargate's sizes: what an author asks for is never made smaller, and nothing smaller than the chosen one would do."""

from hypothesis import given
from hypothesis import strategies as st

from alien_iac.models.arguments import ContainerArguments
from alien_iac_aws import fargate

SIZES = tuple(fargate.sizes())


def asked(cpu: float, mib: int) -> ContainerArguments:
    return ContainerArguments(cpu=cpu, memory=f"{mib}Mi")


@given(cpu=st.floats(0.1, 16), mib=st.integers(128, 120 * 1024))
def test_a_size_holds_what_was_asked_for_and_none_below_it_does(cpu: float, mib: int) -> None:
    wanted, chosen = fargate.wanted(asked(cpu, mib)), fargate.size(asked(cpu, mib))
    assert chosen is not None
    assert chosen.cpu >= wanted.cpu
    assert chosen.memory >= wanted.memory
    smaller = [s for s in SIZES if s.cpu >= wanted.cpu and s.memory >= wanted.memory]
    assert (chosen.cpu, chosen.memory) == min((s.cpu, s.memory) for s in smaller)


@given(size=st.sampled_from(SIZES))
def test_a_size_that_exists_is_kept(size: fargate.Size) -> None:
    assert fargate.size(asked(size.cpu / fargate.UNITS, size.memory)) == size


def test_what_is_too_big_has_no_size() -> None:
    assert fargate.size(asked(17, 1024)) is None
    assert fargate.size(asked(1, 121 * 1024)) is None


def test_the_sizes_are_those_that_the_service_documents() -> None:
    by_cpu = {s.cpu: [t.memory for t in SIZES if t.cpu == s.cpu] for s in SIZES}
    assert by_cpu[256] == [512, 1024, 2048]
    assert (by_cpu[4096][0], by_cpu[4096][-1]) == (8192, 30720)
    assert by_cpu[16384] == [32768 + 8192 * step for step in range(12)]


def test_a_source_runs_on_arm64_and_an_image_on_what_it_is_made_for() -> None:
    assert fargate.architecture(ContainerArguments(source="./api")) == "arm64"
    assert fargate.architecture(ContainerArguments(image="x")) == "x86_64"
    assert fargate.architecture(ContainerArguments(image="x", architecture="arm64")) == "arm64"


def test_what_always_runs_is_priced_by_the_replica() -> None:
    one = ContainerArguments.model_validate({"source": "./api"})
    three = ContainerArguments.model_validate({"source": "./api", "scale": {"min": 3}})
    size = fargate.Size(cpu=512, memory=1024)
    assert round(fargate.monthly_price(one, size), 2) == 14.42
    assert fargate.monthly_price(three, size) == 3 * fargate.monthly_price(one, size)
