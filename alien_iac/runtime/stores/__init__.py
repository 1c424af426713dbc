"""The stores that a workload is linked to.

`storage`, `kv`, `queue`, `secret` and `calls` hold the faces that authors use, the limits and the protocols; each
`local_…` module is one platform's way to keep them. A further platform adds modules and lines in `links`.
"""
