"""A Function on Azure: under the Functions host on Flex Consumption, or as a process of its own in a Container App.

`app` is the first, `process` the second; `callers` says for both who is let in, and `notices` reads new objects.
"""
