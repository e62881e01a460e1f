"""What devices print about their licenses, read by TextFSM templates: pure, knows no tables.

`read_printed(bytes)` finds the outputs in a paste or a log (prompts, several commands, several devices), has each read by
a template of ntc-templates or, where that has none, by one of ours, and says of every line that it could not read where
it stands.
"""
