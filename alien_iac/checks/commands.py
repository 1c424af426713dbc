"""Who brings a workload its commands: the agent, or it asks the control plane itself, which takes two more things."""

from collections.abc import Iterator

from alien_iac.checks.catalogue import finding
from alien_iac.models.declared import Stack
from alien_iac.models.finding import Finding


def check(stack: Stack) -> Iterator[Finding]:
    """Every workload that answers commands, where there is a control plane and no agent."""
    config = stack.config
    if config is None or config.control_plane is None or config.agent_url is not None:
        return
    for component in stack.components:
        if not component.commands:
            continue
        if config.deployment_id is None:
            message = "there is no agent, and it cannot ask the control plane for commands itself"
            hint = "set alien:deploymentId to the id that the control plane has for it (`alien deployments ls`)"
            yield finding("COMMANDS_UNREACHED", component.id, message, hint)
            continue
        message = (
            f'it asks the control plane for commands itself, with the token in the Secret "{component.id}-commands"'
        )
        hint = f"alien token make NAME --scope receive --deployment {config.deployment_id} --target {component.id}"
        yield finding("COMMANDS_TOKEN", component.id, message, f"{hint}, and give it to the Secret as its value")
