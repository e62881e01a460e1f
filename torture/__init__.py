"""`bin/torture`: processes are killed at random moments of a storm, and nothing that was acknowledged may be lost.

`world` an installation of its own · `storm` what clients do, with what they were told · `killer` · `reader` polls
figures meanwhile · `judge` compares what was told with what is there · `inside` runs in the installation's environment.
"""
