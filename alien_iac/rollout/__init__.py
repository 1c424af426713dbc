"""One release carried over many deployments: the policy, the decisions (pure), and the effects."""
