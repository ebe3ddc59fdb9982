"""What holds for all tests."""

from hypothesis import settings

# The first example of a test may import much, and a busy machine is no failure.
settings.register_profile("gdtui", deadline=None)
settings.load_profile("gdtui")
