"""Telemetry as it travels: the customer's levels, and what of OTLP passes at each. Every hop applies the same rules."""
