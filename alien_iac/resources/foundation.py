"""What several components of a deployment share, under one component with fixed URNs."""

import pulumi

from alien_iac.resources.tokens import TOKENS

NAME = "foundation"


class Foundation(pulumi.ComponentResource):
    """Made by the planner when the first shared resource is needed."""

    def __init__(self) -> None:
        super().__init__(TOKENS["Foundation"], NAME)
