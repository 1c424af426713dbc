"""The certificate of a public name: ACM issues it once the customer's DNS has the record that proves the name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_aws.acm import Certificate, CertificateValidation

from alien_iac.resources.context import Context

Record = Mapping[str, str]
"""One DNS record: `name`, `type`, `value`."""


@dataclass(frozen=True, kw_only=True)
class Issued:
    """A certificate that is good."""

    arn: pulumi.Output[str]
    certificate: Certificate
    validation: CertificateValidation
    records: pulumi.Output[list[Record]]
    """What proves the name, to be put into the DNS of its domain."""


def issue(context: Context, host: str) -> Issued:
    """Ask for the certificate, say which record proves the name, and wait until it is issued.

    Roles: `certificate`, `certificate-validation`.
    """
    props = {"domain_name": host, "validation_method": "DNS", "tags": {"resource": context.declared.id}}
    certificate = context.native("certificate", Certificate, props, suffix="certificate")
    records = certificate.domain_validation_options.apply(_records)
    records.apply(lambda found: _say(context.declared.id, host, found))
    waited = {"certificate_arn": certificate.arn}
    validation = context.native("certificate-validation", CertificateValidation, waited, suffix="certificate-issued")
    return Issued(arn=validation.certificate_arn, certificate=certificate, validation=validation, records=records)


def _records(options: Sequence[Any] | None) -> list[Record]:
    return [
        {
            "name": option.resource_record_name,
            "type": option.resource_record_type,
            "value": option.resource_record_value,
        }
        for option in options or ()
    ]


def _say(resource: str, host: str, records: Sequence[Record]) -> None:
    """Said while the update waits for it, since its outputs come too late."""
    for record in records:
        line = f"{record['name']} {record['type']} {record['value']}"
        pulumi.log.info(f"{resource}: waiting for the DNS record that proves {host}: {line}")
