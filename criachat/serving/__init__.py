"""How CriaChat starts, runs and stops: in one process, or as a supervisor with several.

To stop is to be cancelled: a signal cancels the main task, and each layer puts in order what it holds on its way out.
"""
