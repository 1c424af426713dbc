"""What starts a Function on Azure, as its adapter reads it from the environment.

A message comes from the queue of its binding, and a notice of a new object from the queue in `CREATED_QUEUES`; both are
in the namespace that the connection `BUS` names. A schedule is a timer, or a job, that wakes the Function at
`timer_name(n)` for the nth schedule among its triggers: at every instant of the crontab line, and at some more where
Azure cannot say the line or the time zone. The adapter starts the handlers at those that the line itself matches.
"""

BUS = "ALIEN_SERVICEBUS"
"""The connection of Service Bus triggers: the prefix of the settings from which Azure's runtime takes it."""
CREATED_QUEUES = "ALIEN_CREATED_QUEUES"
"""JSON of a storage's id to the name of the queue with notices of its new objects."""
JOB = "ALIEN_JOB"
"""Set in a job only: the `ScheduleTrigger` as JSON whose handlers it runs, once, before it ends."""
PRINCIPAL = "X-MS-CLIENT-PRINCIPAL-ID"
"""Header that Azure sets, and takes from nobody, where a caller has shown a token that it let in. A public Function
answers nothing below `/_alien/` without it; others are not reached without such a token at all."""


def timer_name(number: int) -> str:
    """The variable with a schedule's timer, as six fields in UTC. `number`: among the schedules, from 0."""
    return f"ALIEN_TIMER_{number}"
