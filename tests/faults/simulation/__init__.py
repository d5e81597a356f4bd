"""A deterministic simulation of the whole protocol: one seed is one schedule.

The coordinator, crew, leases, unit writer, log, heartbeat, garbage collection, checkpoints and dedup
are the shipped ones. Simulated are time (`world`), the store's answers (`disk`), the processes with
their messages (`processes`, `cluster`), the engine and the formats of segments and shards (`worker`,
`keeper`), and the operator who starts drivers (`driver`). `auditor` and `verdict` hold the promises
against every change of the store; `mutants` breaks the protocol on purpose.
"""
