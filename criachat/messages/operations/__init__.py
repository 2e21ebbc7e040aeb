"""What can be done with messages."""

from criachat.messages.operations.changing import report_delivery

__all__ = ["report_delivery"]
