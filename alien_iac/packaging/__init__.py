"""From folders to content-addressed bytes: artifacts of workloads, bundles of releases."""
