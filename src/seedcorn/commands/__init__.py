"""One module per subcommand: `configure(parser)` declares arguments, `run(arguments)` does the work.

A module's top level imports next to nothing, so that help is instant; what a command needs is
imported when it runs.
"""
