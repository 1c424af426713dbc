"""What travels between the parts: bindings, commands, manifests, the control plane's bodies. Data only."""
