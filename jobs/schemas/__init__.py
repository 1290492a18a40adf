"""The typed records of the project: what the API speaks, SQL stores and a job reads.

Times are UTC, durations are seconds unless the name says ``_ms``, sizes are bytes.
Neither Ray nor SQL is imported here.
"""
