"""For all tests: nothing is judged by how long it takes, for the machine may be busy."""

from hypothesis import settings

settings.register_profile("ours", deadline=None, print_blob=True)
settings.load_profile("ours")
