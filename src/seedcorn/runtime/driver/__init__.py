"""The driver: grows generations by leasing units and committing batches; knows no Ray."""
