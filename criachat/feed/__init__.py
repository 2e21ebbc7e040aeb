"""The event log as callers read it: in order, without gaps, from any place in it that is still kept."""
