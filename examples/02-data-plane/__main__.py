"""A data plane: a stateful service with a volume, which answers inside the deployment and to commands."""

import alien_iac as alien

counter = alien.Container(
    "counter", source="./counter", port=7000, volumes=[alien.Volume("/var/lib/counter", size="1Gi")], commands=True
)
