"""What goes wrong on demand: the names of the faults of both sides, the rules by which they happen, and files
of such rules. Knows neither Slack nor the image API: those ask a `FaultPlan` and give a name its meaning.
"""
