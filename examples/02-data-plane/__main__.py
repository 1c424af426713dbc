"""A data plane: a stateful service with a volume, reached by another one inside the deployment and by nobody else."""

import alien_iac as alien

counter = alien.Container(
    "counter", source="./counter", port=7000, volumes=[alien.Volume("/var/lib/counter", size="1Gi")], commands=True
)
