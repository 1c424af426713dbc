"""The embedded Pulumi engine: stands in for the CLI for previews, reviews, and deployments to `local`."""
