"""The broker of a deployment on `local`: the queues of one folder, over HTTP on this machine.

One process serves every `<name>.sqlite` of the folder, as the plugin made them (`protocol.stores`).
"""
