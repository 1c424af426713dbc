"""What the rules for native resources find in a review: the same that the policy pack finds under Pulumi's CLI."""

from collections.abc import Iterable

from alien_iac.checks.catalogue import finding
from alien_iac.models.finding import Finding
from alien_iac.policy import rules
from alien_iac.policy.model import Resource
from alien_iac.review import model
from alien_iac.review.deployments import Subject


def findings(resources: Iterable[model.Resource], subject: Subject) -> list[Finding]:
    """A warning for every rule that a resource breaks: the rules are ours, and the account is the customer's."""
    seen = (Resource(urn=r.urn, type=r.type, name=r.name, parent=r.parent, inputs=r.inputs) for r in resources)
    boundary = subject.config.get("alien:permissionsBoundary", "")
    return [
        finding(each.rule.code, each.resource.name, f"{each.resource.type}: {each.how}", each.rule.says)
        for each in rules.broken(seen, boundary)
    ]
