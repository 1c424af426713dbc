"""A Function on Google Cloud: one process that serves HTTP, since everything that starts it there is a request.

`callers` says who is let in, `pushes` translates what Pub/Sub and Cloud Scheduler send, `process` serves.
"""
