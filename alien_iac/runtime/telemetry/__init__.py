"""Telemetry of a workload's own, beside that of its handlers: spans, counters, histograms, and its log.

    from alien_iac.runtime import telemetry

    orders = telemetry.counter("orders")

    with telemetry.span("price basket"):
        orders.add(1)

Names stand in the code as they are: a name that is put together while the program runs does not leave. Everything here
does nothing where no telemetry is wanted. Nothing that sends is loaded before it is.
"""

from alien_iac.runtime.telemetry.instruments import Counter, Histogram, counter, histogram
from alien_iac.runtime.telemetry.spans import Span, span, traceparent

__all__ = ["Counter", "Histogram", "Span", "counter", "histogram", "span", "traceparent"]
