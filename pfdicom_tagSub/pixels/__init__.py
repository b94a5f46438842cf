"""Pictures: where identifying text is burned in, and blackening it without touching anything else.

Nothing imports this package unless the cleaning of pixels was asked for.
"""
