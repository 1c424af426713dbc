"""What runs inside a workload: handlers, bindings and stores, on every platform the same."""
