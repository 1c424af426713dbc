"""The dashboard: pages for people over the control plane's own routes, and nothing that those could not do."""
