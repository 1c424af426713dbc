"""OCI images without a Docker daemon: read from and written to registries and layout folders, and assembled."""
