"""Processes of a real Ray cluster killed with SIGKILL while corpora grow on it.

`python -m tests.faults.cluster --kills N --vllm K --seed S`. Victims are the driver (the coordinator
lives in it), engine actors, index parts, the keeper, the measuring task, the raylet of a node and the S3
server, at random moments and at chosen steps of the protocol; and K of them with real engines.
"""
