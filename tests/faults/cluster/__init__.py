"""Processes of a real Ray cluster killed with SIGKILL while corpora grow on it.

`python -m tests.faults.cluster --kills N --seed S`. Victims are the driver (the coordinator lives in
it), engine actors, index parts, the keeper, the measuring task, the raylet of a node and the S3
server, at random moments and at chosen steps of the protocol; with `--vllm K` real engines as well.
"""
